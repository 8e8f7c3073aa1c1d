// The clock in the demo's bar goes on between two loads of the page, as fast as the invented site's time does.
"use strict";

(() => {
  let shown = null;
  let since = 0;

  const tick = () => {
    const clock = document.getElementById("demo-clock");
    if (!clock) return;
    if (clock !== shown) { shown = clock; since = performance.now(); }
    const now = Number(clock.dataset.now) + (performance.now() - since) * Number(clock.dataset.speed);
    const language = document.documentElement.lang;
    const options = { timeZone: clock.dataset.zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" };
    clock.textContent = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "fr-FR", options).format(now);
  };

  tick();
  setInterval(tick, 500);
})();
