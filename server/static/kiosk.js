// A screen at the door that has heard nothing from the server for 15 min answers no more: the door's lamp does. Nobody
// can scroll it: what is too much for its height is written smaller.
"use strict";

(() => {
  const TOO_OLD = 15 * 60000;
  const PHONE = 640; // px, as in kiosk.css
  let waiting = 0;
  let old = false;

  const fit = () => {
    const root = document.documentElement;
    root.style.fontSize = "";
    if (innerWidth <= PHONE) return;
    for (let tries = 0; tries < 4 && root.scrollHeight > innerHeight; tries += 1) {
      const smaller = parseFloat(getComputedStyle(root).fontSize) * Math.max(0.6, innerHeight / root.scrollHeight);
      root.style.fontSize = `${Math.floor(smaller * 10) / 10}px`;
    }
  };

  const show = () => {
    const said = document.getElementById("said");
    if (!said) return;
    said.hidden = old;
    document.getElementById("unknown").hidden = !old;
    fit();
  };

  const tell = (now) => {
    old = now;
    show();
  };

  document.addEventListener("loquet:lost", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(tell, Math.max(0, TOO_OLD - (performance.now() - event.detail)), true);
  });
  document.addEventListener("loquet:found", () => {
    clearTimeout(waiting);
    tell(false);
  });
  document.addEventListener("htmx:afterSwap", show);
  addEventListener("resize", fit);
  addEventListener("load", fit); // as wide as its letters
})();
