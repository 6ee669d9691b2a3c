"use strict";
// Draws Mermaid for the page around it: text in, picture out. Nothing else can be reached from here.
const colours = () => {
  const made = {
    darkMode: true, background: "#141920", primaryColor: "#24374f", primaryTextColor: "#dde2ea", primaryBorderColor: "#4a6a94",
    lineColor: "#8d97a6", textColor: "#dde2ea", titleColor: "#dde2ea", edgeLabelBackground: "#202732", fontSize: "14px",
  };
  const scale = ["#24374f", "#4a2f33", "#2c3e3a", "#3d3420"];
  for (let at = 0; at < 12; at += 1) {
    made[`cScale${at}`] = scale[at % scale.length];
    made[`cScaleLabel${at}`] = "#dde2ea";
    made[`cScaleInv${at}`] = "#4a6a94";
  }
  return made;
};
mermaid.initialize({
  startOnLoad: false,
  securityLevel: "strict",
  theme: "base",
  themeVariables: colours(),
  fontFamily: "system-ui, sans-serif",
  flowchart: { useMaxWidth: false, curve: "basis", nodeSpacing: 32, rankSpacing: 40, wrappingWidth: 230 },
  timeline: { useMaxWidth: false },
});
// A timeline breaks its lines at spaces alone: long names are given places to break at.
const LONGEST = 18;
const broken = (source) => !source.startsWith("timeline") ? source : source.replace(/\S+/g, (word) => {
  const signs = word.match(/#\d+;|./gu);
  if (signs.length <= LONGEST) return word;
  const parts = [];
  for (let at = 0; at < signs.length; at += LONGEST) parts.push(signs.slice(at, at + LONGEST).join(""));
  return parts.join("<br>");
});
// Labels are drawn as HTML: no tag but a line break is let through as one.
const harmless = (source) => source.replace(/<(?!br\s*\/?>)/gi, "#60;");
const sized = (svg) => {
  // Labels are HTML, which is read as such and written as XML: an image takes nothing else.
  const drawn = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
  const [, , width, height] = (drawn.getAttribute("viewBox") || "0 0 800 400").split(/[\s,]+/).map(Number);
  drawn.setAttribute("width", Math.ceil(width));
  drawn.setAttribute("height", Math.ceil(height));
  return { svg: new XMLSerializer().serializeToString(drawn), width, height };
};
window.addEventListener("message", async (event) => {
  if (event.source !== window.parent) return;
  const { id, source } = event.data;
  try {
    const { svg } = await mermaid.render(`drawn-${id}`, broken(harmless(source)));
    event.source.postMessage({ id, ...sized(svg) }, "*");
  } catch (error) {
    event.source.postMessage({ id, failed: String(error) }, "*");
  }
});
window.parent.postMessage({ ready: true }, "*");
