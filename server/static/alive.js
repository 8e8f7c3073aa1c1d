// Is what the page shows still true? The server gives a sign of life every few seconds. After 10 s without one (a screen
// at the door waits longer: data-silent, in ms), or when it answers with a fault, the page says that the connection is
// lost and greys what it claims, until it is drawn anew.
"use strict";

(() => {
  const ASK_AGAIN = 5000;
  const banner = document.getElementById("lost");
  const SILENT = Number(banner.dataset.silent || 10000);
  const asker = document.getElementById("asker"); // draws the page anew; the bench is sent its pictures instead
  let word = performance.now();
  let asked = word;
  let lost = false;

  const heard = () => {
    word = performance.now();
    if (asker && !asker.hasAttribute("hx-get")) found(); // nothing to draw: a form that was refused
  };

  const say = (what) => document.dispatchEvent(new CustomEvent(`loquet:${what}`, { detail: word }));

  const lose = () => {
    if (lost) return;
    lost = true;
    banner.textContent = document.getElementById("at").dataset.lost;
    banner.hidden = false;
    document.body.classList.add("lost");
    say("lost");
  };

  const found = () => {
    if (!lost) return;
    lost = false;
    banner.hidden = true;
    document.body.classList.remove("lost");
    say("found");
  };

  const drawn = () => {
    heard();
    found();
  };

  const look = () => {
    const now = performance.now();
    if (now - word > SILENT) lose();
    if (asker && (lost || now - word > ASK_AGAIN) && now - asked > ASK_AGAIN) {
      asked = now;
      htmx.trigger(asker, "ask");
    }
  };

  // What somebody has opened and typed stays through a drawing anew, and so does where they are writing.
  const named = (all, one) => one.id || all.filter((other) => !other.id).indexOf(one);
  const opened = (part) => [...part.querySelectorAll("details")];
  const fields = (part) => [...part.querySelectorAll("input[id]:not([type=hidden]), textarea[id], select[id]")];
  const typed = (one) => ["checkbox", "radio"].includes(one.type) ? one.checked !== one.defaultChecked
    : one.tagName === "SELECT" ? [...one.options].some((option) => option.selected !== option.defaultSelected)
      : one.value !== one.defaultValue;
  let kept = null;

  const keep = (event) => {
    const part = event.detail.target;
    const writing = part.contains(document.activeElement) ? document.activeElement : null;
    const details = opened(part);
    kept = {
      open: new Map(details.map((one) => [named(details, one), one.open])),
      typed: new Map(fields(part).filter(typed).map((one) => [one.id, [one.value, one.checked]])),
      writing: writing && writing.id,
      from: writing && writing.type !== "number" && writing.selectionStart,
    };
  };

  const give = () => {
    const part = document.getElementById("fresh");
    if (!kept || !part) return;
    const details = opened(part);
    for (const one of details) if (kept.open.get(named(details, one))) one.open = true;
    for (const one of fields(part)) if (kept.typed.has(one.id)) [one.value, one.checked] = kept.typed.get(one.id);
    const writing = kept.writing && document.getElementById(kept.writing);
    if (writing && part.contains(writing)) {
      writing.focus({ preventScroll: true });
      if (typeof kept.from === "number") writing.setSelectionRange(kept.from, kept.from);
    }
    kept = null;
  };

  document.addEventListener("htmx:beforeSwap", keep);
  document.addEventListener("htmx:afterSwap", give);
  document.addEventListener("htmx:sseOpen", (event) => event.detail.source.addEventListener("still", heard));
  document.addEventListener("htmx:sseMessage", heard);
  document.addEventListener("htmx:afterSwap", drawn);
  document.addEventListener("htmx:responseError", lose);
  document.addEventListener("visibilitychange", look);
  setInterval(look, 1000);
})();
