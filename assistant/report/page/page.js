"use strict";
// Two conveniences; the page says everything without them.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const text = button.parentElement.querySelector("code, pre").textContent;
  const done = () => { button.textContent = "copied"; };
  const failed = () => { button.textContent = "select and copy by hand"; };
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, failed);
  else failed();
});
const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = target && target.closest("details");
  if (details) details.open = true;
};
window.addEventListener("hashchange", reveal);
reveal();
