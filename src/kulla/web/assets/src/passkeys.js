// Passkeys. A form with data-passkey="get" or "create" asks its data-options address for a challenge, lets the browser
// answer it, and sends itself with the answer. Without a script, or without passkeys in the browser, the form stays
// hidden and the password is the way in.
"use strict";
(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  function opened(options) {
    options.challenge = bytes(options.challenge);
    for (const list of [options.allowCredentials, options.excludeCredentials]) {
      for (const each of list || []) each.id = bytes(each.id);
    }
    if (options.user) options.user.id = bytes(options.user.id);
    return options;
  }

  function answered(credential) {
    const response = credential.response;
    const answer = { id: text(credential.rawId), client_data: text(response.clientDataJSON) };
    if (response.attestationObject) return { ...answer, attestation: text(response.attestationObject) };
    return {
      ...answer,
      auth_data: text(response.authenticatorData),
      signature: text(response.signature),
      handle: response.userHandle ? text(response.userHandle) : "",
    };
  }

  async function start(form) {
    // What is typed or ticked in the password form beside counts here too.
    for (const name of ["identifier", "short"]) {
      const own = form.elements[name];
      const beside = document.querySelector(`form:not([data-passkey]) [name=${name}]`);
      if (own && beside) own.value = beside.type === "checkbox" ? (beside.checked ? "on" : "") : beside.value;
    }
    const asked = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!asked.ok) throw new Error(`options: ${asked.status}`);
    const { options, state } = await asked.json();
    const publicKey = opened(options);
    const credential =
      form.dataset.passkey === "create"
        ? await navigator.credentials.create({ publicKey })
        : await navigator.credentials.get({ publicKey });
    form.elements.answer.value = JSON.stringify(answered(credential));
    form.elements.state.value = state;
    form.submit();
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential || !navigator.credentials) continue;
    const button = form.querySelector("button[data-start]");
    const failed = form.querySelector("[data-failed]");
    form.hidden = false;
    for (const each of document.querySelectorAll("[data-no-passkeys]")) each.hidden = true;
    button.addEventListener("click", () => {
      button.disabled = true;
      failed.hidden = true;
      start(form).catch(() => {
        failed.hidden = false;
        button.disabled = false;
        failed.focus();
      });
    });
  }
})();
