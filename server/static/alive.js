// Is what the page shows still true? The server gives a sign of life every few seconds. After 10 s without one, or when
// it answers with a fault, the page says that the connection is lost and greys what it claims, until it is drawn anew.
"use strict";

(() => {
  const SILENT = 10000;
  const ASK_AGAIN = 5000;
  const banner = document.getElementById("lost");
  const asker = document.getElementById("asker"); // draws the page anew; the bench is sent its pictures instead
  let word = performance.now();
  let asked = word;
  let lost = false;

  const heard = () => { word = performance.now(); };

  const say = (what) => document.dispatchEvent(new CustomEvent(`loquet:${what}`, { detail: word }));

  const lose = () => {
    if (lost) return;
    lost = true;
    banner.textContent = document.getElementById("at").dataset.lost;
    banner.hidden = false;
    document.body.classList.add("lost");
    say("lost");
  };

  const drawn = () => {
    heard();
    if (!lost) return;
    lost = false;
    banner.hidden = true;
    document.body.classList.remove("lost");
    say("found");
  };

  const look = () => {
    const now = performance.now();
    if (now - word > SILENT) lose();
    if (asker && (lost || now - word > ASK_AGAIN) && now - asked > ASK_AGAIN) {
      asked = now;
      htmx.trigger(asker, "ask");
    }
  };

  document.addEventListener("htmx:sseOpen", (event) => event.detail.source.addEventListener("still", heard));
  document.addEventListener("htmx:sseMessage", heard);
  document.addEventListener("htmx:afterSwap", drawn);
  document.addEventListener("htmx:responseError", lose);
  document.addEventListener("visibilitychange", look);
  setInterval(look, 1000);
})();
