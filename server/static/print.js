// A press that prints the page: without this it is not shown, and the browser's own menu does it.
"use strict";

for (const press of document.querySelectorAll("[data-print]")) {
  press.hidden = false;
  press.addEventListener("click", () => print());
}
