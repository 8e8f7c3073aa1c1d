// The clock in the demo's bar goes on between two loads of a live page, as fast as the invented site's time does. When
// nothing is heard from the demo any more it stops at the instant of the last word (server/static/alive.js says so).
"use strict";

(() => {
  const PARTS = { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit", hourCycle: "h23" };
  const GLUE = "\u00a0";
  const english = document.documentElement.lang === "en";
  let shown = null;
  let since = 0;

  // mar. 24 nov., 19 h 05; in English Tue 24 Nov, 19:05: as the pages write it.
  const written = (now, zone) => {
    const format = new Intl.DateTimeFormat(english ? "en-GB" : "fr-FR", { ...PARTS, timeZone: zone });
    const of = Object.fromEntries(format.formatToParts(now).map((part) => [part.type, part.value]));
    const hour = Number(of.hour);
    const day = [of.weekday, !english && of.day === "1" ? "1er" : of.day, of.month].join(GLUE);
    if (english) return `${day}, ${String(hour).padStart(2, "0")}:${of.minute}`;
    return `${day}, ${[hour, "h", ...(of.minute === "00" ? [] : [of.minute])].join(GLUE)}`;
  };

  const show = (at) => {
    const clock = document.getElementById("demo-clock");
    if (clock !== shown) { shown = clock; since = at; }
    clock.textContent = written(Number(clock.dataset.now) + (at - since) * Number(clock.dataset.speed), clock.dataset.zone);
  };

  const tick = () => show(performance.now());

  if (!document.querySelector("[sse-connect]")) return; // nobody would tell this page that the time has stopped
  tick();
  const ticking = setInterval(tick, 500);
  document.addEventListener("loquet:lost", (event) => { clearInterval(ticking); show(Math.max(since, event.detail)); });
  document.addEventListener("loquet:found", () => location.reload()); // the demo may have stood still meanwhile
})();
