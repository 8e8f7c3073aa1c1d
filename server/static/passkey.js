// Passkeys (WebAuthn): a press that is hidden without scripts, or where the browser has none, gets the server's question,
// lets the browser answer it, and sends the form that it stands in with the answer. `data-ask`: where to get the question.
// `data-make`: a new passkey is made, else one is shown.
"use strict";

(() => {
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseCreationOptionsFromJSON) return;

  const answer = async (press) => {
    const form = press.form;
    const token = new FormData();
    token.append("csrf_token", form.elements.csrf_token.value);
    const asked = await fetch(press.dataset.ask, { method: "POST", body: token });
    if (!asked.ok) throw new Error(`the server answers ${asked.status}`);
    const question = await asked.json();
    const credential = press.dataset.make === undefined
      ? await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(question) })
      : await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(question) });
    form.querySelector("input.passkey").value = JSON.stringify(credential.toJSON());
    form.submit(); // without the check of fields that the passkey stands in for
  };

  for (const press of document.querySelectorAll("button[data-ask]")) {
    const failed = document.getElementById(press.getAttribute("aria-describedby"));
    press.hidden = false;
    press.addEventListener("click", () => {
      failed.hidden = true;
      answer(press).catch(() => { failed.hidden = false; });
    });
  }
})();
