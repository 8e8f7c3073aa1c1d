// An open menu of the header closes by Escape and by a press elsewhere; without this it closes by its own word.
"use strict";

const opened = () => [...document.querySelectorAll(".top details[open]")].reverse();

addEventListener("click", (event) => {
  for (const menu of opened()) if (!menu.contains(event.target)) menu.open = false;
});

addEventListener("keydown", (event) => {
  const [menu] = event.key === "Escape" ? opened() : [];
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
