// The bench by mouse: badges are dragged onto a reader and away from it. All of it can be done by the buttons as well.
"use strict";

(() => {
  const scene = document.getElementById("scene");
  const heard = document.getElementById("heard");
  const busy = new Set();

  // While a button is held down or a badge is dragged, the picture stays as it is; the next one brings what was missed.
  // A drag begins with the end of its pointer (pointercancel) and ends by dragend. A badge that is still dragged says so
  // several times a second (drag): where that stops, its dragend was lost, and the page goes on.
  const held = (what, begins, ends) => {
    scene.addEventListener(begins, () => busy.add(what));
    for (const end of ends) addEventListener(end, () => setTimeout(() => busy.delete(what), 50));
  };
  held("button", "pointerdown", ["pointerup", "pointercancel"]);
  held("badge", "dragstart", ["dragend"]);
  let lost = 0;
  for (const event of ["dragstart", "drag", "dragend"]) {
    addEventListener(event, () => { clearTimeout(lost); lost = setTimeout(() => busy.delete("badge"), 2000); });
  }
  document.body.addEventListener("htmx:sseBeforeMessage", (event) => { if (busy.size) event.preventDefault(); });

  // A list of badges that somebody opened stays open when the picture is drawn anew.
  const openLists = () => [...scene.querySelectorAll("details[open]")].map((list) => list.id);
  let opened = [];
  document.body.addEventListener("htmx:beforeSwap", () => { opened = openLists(); });
  document.body.addEventListener("htmx:sseBeforeMessage", () => { opened = openLists(); });
  document.body.addEventListener("htmx:afterSwap", () => {
    for (const id of opened) { const list = document.getElementById(id); if (list) list.open = true; }
  });

  // What was decided is said to whoever cannot see it, once.
  const say = () => {
    const latest = document.getElementById("latest");
    if (latest && heard.textContent !== latest.dataset.said) heard.textContent = latest.dataset.said;
  };
  document.body.addEventListener("htmx:afterSwap", say);

  // The scene sends, one after the other, what its buttons want: a button may be drawn anew before its turn comes.
  scene.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target));
    htmx.ajax("POST", event.target.action, { source: scene, swap: "none", values });
  });

  const submit = (id) => { const button = document.getElementById(id); if (button) button.form.requestSubmit(); };
  const readerAt = (event) => event.target.closest ? event.target.closest("[data-reader]") : null;
  let dragged = null;

  scene.addEventListener("dragstart", (event) => {
    const card = event.target.closest("[data-uid], [data-lying]");
    if (!card) return;
    const from = card.closest("[data-reader]");
    dragged = { uid: card.dataset.uid || card.dataset.lying, from: card.dataset.lying ? from.dataset.reader : null };
    event.dataTransfer.setData("text/plain", dragged.uid);
  });

  scene.addEventListener("dragover", (event) => {
    const reader = readerAt(event);
    if (!dragged || !reader || reader.dataset.reader === dragged.from) return;
    event.preventDefault();
    reader.classList.add("over");
  });

  scene.addEventListener("dragleave", (event) => {
    const reader = readerAt(event);
    if (reader && !reader.contains(event.relatedTarget)) reader.classList.remove("over");
  });

  scene.addEventListener("drop", (event) => {
    const reader = readerAt(event);
    if (!dragged || !reader) return;
    event.preventDefault();
    reader.classList.remove("over");
    submit(`lay-${reader.dataset.reader}-${dragged.uid}`);
  });

  // A badge that lay on a reader and was dragged off it is taken away.
  addEventListener("dragend", (event) => {
    if (dragged && dragged.from) {
      const under = document.elementFromPoint(event.clientX, event.clientY);
      const reader = under ? under.closest("[data-reader]") : null;
      if (!reader || reader.dataset.reader !== dragged.from) submit(`take-${dragged.from}-${dragged.uid}`);
    }
    dragged = null;
  });

  say();
})();
