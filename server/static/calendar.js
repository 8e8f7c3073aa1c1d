// Choosing by hand: a press or a drag in the picture says when, and what the form says is asked at once. Without this
// script the free times are links, and the form has its button.
"use strict";

(() => {
  const form = document.getElementById("choice");
  if (!form) return;
  form.addEventListener("change", (event) => {
    if (event.target.name === "start") document.getElementById("choose-end").disabled = true; // it goes by the start
    form.requestSubmit();
  });
  document.getElementById("look").hidden = true;

  const lanes = document.querySelector(".lanes");
  const from = Number(lanes.dataset.from ?? 0) / 100;
  const drawn = lanes.querySelector(".track").getBoundingClientRect();
  const before = drawn.left - lanes.getBoundingClientRect().left - 48;
  if (from) lanes.scrollLeft = before + from * drawn.width; // on a phone

  const at = (track, event) => {
    const box = track.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return Number(track.dataset.first) + part * (track.dataset.last - track.dataset.first);
  };
  const choose = (link, from, length) => {
    const address = new URL(link.getAttribute("href"), location.href);
    address.searchParams.delete("start");
    address.searchParams.set("at", String(Math.floor(from)));
    address.searchParams.set("minutes", String(length));
    location.assign(address);
  };
  for (const track of document.querySelectorAll("svg.track[data-first]")) {
    let from = null;
    let link = null;
    track.addEventListener("pointerdown", (event) => {
      link = event.target.closest("a");
      from = link ? at(track, event) : null;
    });
    track.addEventListener("dragstart", (event) => event.preventDefault());
    track.addEventListener("click", (event) => {
      if (from === null || event.detail === 0) return; // by the keyboard: the link itself
      event.preventDefault();
      const to = at(track, event);
      choose(link, Math.min(from, to), Math.round(Math.abs(to - from) / 60000));
    });
  }
})();
