"use strict";
// What HTML alone does not do: keys, the drawer, drawings, seconds that go on, and a lost connection.
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const talk = one("#talk");
  const drawer = one("#drawer");
  const ask = one("#ask");
  const typed = one("#text");
  const trouble = one("#trouble");

  // --- News: asked for while somebody looks.
  const tell = (name) => { if (!document.hidden) htmx.trigger(document.body, name); };
  setInterval(() => tell("often"), 2500);
  setInterval(() => tell("slowly"), 6000);
  document.addEventListener("visibilitychange", () => { tell("often"); tell("slowly"); });

  // --- Seconds of what is being worked on go on between two steps.
  const begin = (root) => {
    for (const at of root.querySelectorAll("[data-since]")) {
      at.began = performance.now() - 1000 * Number(at.dataset.since);
    }
  };
  setInterval(() => {
    for (const at of document.querySelectorAll("[data-since]")) {
      at.textContent = `${((performance.now() - at.began) / 1000).toFixed(1)} s`;
    }
  }, 200);

  // --- Mermaid is drawn in a frame of its own, and shown as an image: whatever it is, it cannot act.
  let frame = null;
  const waiting = new Map();
  const drawing = () => {
    frame = document.createElement("iframe");
    Object.assign(frame, { src: "/drawing", className: "drawing", title: "drawing", tabIndex: -1 });
    frame.setAttribute("sandbox", "allow-scripts");
    frame.setAttribute("aria-hidden", "true");
    document.body.append(frame);
  };
  const send = (figure, id) => {
    if (frame.ready) frame.contentWindow.postMessage({ id, source: one("pre", figure).textContent }, "*");
  };
  const draw = (root) => {
    for (const figure of root.querySelectorAll("figure.diagram:not([data-drawn])")) {
      if (!frame) drawing();
      figure.dataset.drawn = "asked";
      const id = String(waiting.size + 1);
      waiting.set(id, figure);
      send(figure, id);
    }
  };
  const show = (figure, picture) => {
    const image = document.createElement("img");
    image.src = URL.createObjectURL(new Blob([picture.svg], { type: "image/svg+xml" }));
    image.alt = `drawing: ${figure.dataset.name}`;
    image.width = Math.ceil(picture.width);
    image.height = Math.ceil(picture.height);
    one(".zoom", figure).replaceChildren(image);
    figure.dataset.drawn = "yes";
    if (atEnd) follow();
  };
  window.addEventListener("message", ({ source, data }) => {
    if (!frame || source !== frame.contentWindow) return;
    if (data.ready) {
      frame.ready = true;
      for (const [id, figure] of waiting) send(figure, id);
      return;
    }
    const figure = waiting.get(data.id);
    if (figure && data.svg) show(figure, data);
    else if (figure) { figure.dataset.drawn = "failed"; one("details", figure).open = true; }
  });

  // --- The newest answer stays in view, unless somebody reads further up.
  let atEnd = true;
  const follow = () => {
    const last = talk && [...talk.querySelectorAll(".turn")].pop();
    if (last) talk.scrollTop = Math.min(last.offsetTop - 12, talk.scrollHeight);
  };
  document.body.addEventListener("htmx:beforeSwap", () => {
    atEnd = talk && talk.scrollHeight - talk.scrollTop - talk.clientHeight < 160;
  });
  const take = (root) => { begin(root); draw(root); };
  document.body.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id === "drawer-body") {
      if (!drawer.open) drawer.showModal();
      drawer.scrollTop = 0;
    }
  });
  document.body.addEventListener("htmx:load", ({ detail }) => {
    take(detail.elt.parentElement || document);
    one(".opening")?.toggleAttribute("hidden", Boolean(one(".turn")));
    if (talk && talk.contains(detail.elt) && atEnd) follow();
  });
  document.body.addEventListener("already", ({ detail }) => {
    const turn = one(`#turn-${Number(detail.turn)}`);
    if (!turn) return;
    turn.scrollIntoView({ block: "start" });
    turn.focus({ preventScroll: true });
  });

  // --- What went wrong is said; what is being waited for is asked for again.
  const say = (words, until = "") => {
    trouble.textContent = words;
    trouble.hidden = !words;
    trouble.dataset.until = until;
  };
  const lost = () => say("The server cannot be reached. Nothing typed is lost; trying again…");
  const again = ({ detail }) => {
    if ("retry" in detail.elt.dataset) setTimeout(() => htmx.trigger(detail.elt, "retry"), 1500);
  };
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(name, (event) => { lost(); again(event); });
  }
  document.body.addEventListener("htmx:responseError", (event) => {
    say(event.detail.xhr.responseText.slice(0, 400) || "That did not work.", "asked");
    again(event);
  });
  document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!detail.successful) return;
    // What was refused stays said until somebody does something else; a lost connection, until it is back.
    const polled = detail.elt.id === "lists" || detail.elt.id === "tail" || detail.elt.id === "head";
    if (!trouble.hidden && !(polled && trouble.dataset.until)) say("");
    if (detail.requestConfig.verb === "post") tell("slowly");
    if (detail.elt === ask) { typed.value = ""; keep(); atEnd = true; follow(); }
  });

  // --- What is typed outlives a reload and a login.
  const draft = `draft ${location.pathname}`;
  const keep = () => { if (typed) sessionStorage.setItem(draft, typed.value); };
  if (typed) {
    typed.value = sessionStorage.getItem(draft) || "";
    typed.addEventListener("input", keep);
    typed.form.addEventListener("submit", () => { if (typed.form !== ask) sessionStorage.removeItem(draft); });
    typed.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (typed.value.trim()) typed.form.requestSubmit();
    });
  }

  // --- A form that leaves the page is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.target.hasAttribute("hx-post")) return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // --- Buttons.
  const copy = async (button) => {
    const code = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "selected";
    }
  };
  const find = (words) => {
    const marks = [...document.querySelectorAll("pre.data mark")].filter((mark) => mark.textContent === words);
    marks[0]?.scrollIntoView({ block: "center" });
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (event.target.nodeName === "DIALOG") event.target.close();
    if (!button) return;
    if (button.classList.contains("close")) button.closest("dialog").close();
    if (button.classList.contains("copy")) copy(button);
    if (button.classList.contains("quote")) find(button.textContent);
    if (button.classList.contains("zoom")) button.classList.toggle("full");
    if (button.dataset.opens) one(`#${button.dataset.opens}`).showModal();
  });

  // --- Keys.
  const rows = () => [...document.querySelectorAll("#lists .row:is(a, button)")];
  const move = (by) => {
    const all = rows();
    const here = all.indexOf(document.activeElement);
    (all[here < 0 && by < 0 ? all.length - 1 : here + by] || one("#search")).focus();
  };
  const keys = {
    "/": () => { one("#search").focus(); one("#search").select(); },
    "c": () => typed?.focus(),
    "e": () => [...document.querySelectorAll(".turn")].pop()?.querySelector("a.cite")?.click(),
    "?": () => one("#help").showModal(),
    "ArrowDown": () => move(1),
    "ArrowUp": () => move(-1),
  };
  document.addEventListener("keydown", (event) => {
    const inField = event.target.matches("input, textarea");
    if (event.key === "Escape" && inField) event.target.blur();
    const fromSearch = event.target.id === "search" && event.key === "ArrowDown";
    if (event.ctrlKey || event.metaKey || event.altKey || (inField && !fromSearch)) return;
    const reading = event.key.startsWith("Arrow") && event.target.closest("#talk, pre");
    if (!keys[event.key] || reading || one("dialog[open]")) return;
    event.preventDefault();
    keys[event.key]();
  });

  take(document);
  follow();
})();
