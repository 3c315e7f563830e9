// What stands on the page: language, files, the answer in words. Text is set as text, never as markup.

const $ = (id) => document.getElementById(id);
const DAYS = { sq: ["e diel", "e hënë", "e martë", "e mërkurë", "e enjte", "e premte", "e shtunë"], en: ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] };
const MONTHS = {
  sq: ["janar", "shkurt", "mars", "prill", "maj", "qershor", "korrik", "gusht", "shtator", "tetor", "nëntor", "dhjetor"],
  en: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
};
const TIMEOUT_MS = 15_000;

/** All that the page shows; `render` writes it in the chosen language. */
const state = { language: "sq", receipt: null, policy: null, said: {}, turn: { receipt: 0, policy: 0 }, result: null, newest: null, mirror: null, trouble: null };

const t = (key, values = {}) =>
  (WORDS[key] ?? [key, key])[state.language === "sq" ? 0 : 1].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

// --- Times in words -----------------------------------------------------------------------------------------------

const clock = (parts) => `${String(parts.hour).padStart(2, "0")}:${String(parts.minute).padStart(2, "0")}`;

const dayInWords = (year, month, day) => {
  const weekday = DAYS[state.language][new Date(Date.UTC(year, month - 1, day)).getUTCDay()];
  return `${weekday}${state.language === "sq" ? "," : ""} ${day} ${MONTHS[state.language][month - 1]} ${year}`;
};

/** Seconds since 1970 (BigInt) as a day and time of Tirana. */
const timeInWords = (seconds) => {
  if (seconds > 253_402_300_799n) return t("time-strange", { seconds });
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Tirane", hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" });
  const parts = Object.fromEntries(format.formatToParts(new Date(Number(seconds) * 1000)).map((p) => [p.type, Number(p.value)]));
  return t("time", { day: dayInWords(parts.year, parts.month, parts.day), clock: clock(parts) });
};

/** A claim's value; its exact times ("2026-11-24 09:30 +01:00 Europe/Tirane") in words. */
const valueInWords = (value) => {
  const found = /^(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d) ([+-]\d\d:\d\d) ([A-Za-z_]+\/[A-Za-z_/]+)$/.exec(value);
  if (!found) return value;
  const [year, month, day] = found.slice(1, 4).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > 31) return value;
  return t("time-claim", { day: dayInWords(year, month, day), clock: found[4], offset: found[5] });
};

// --- Writing ------------------------------------------------------------------------------------------------------

const element = (tag, text, name) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
};

const whyInWords = (refused) => {
  const sentence = t(`why-${refused.why}`, refused.values);
  return refused.values.line ? t("why-line", { line: refused.values.line, sentence }) : sentence;
};

const writeSteps = (list, steps, failed) => {
  const at = failed ? steps.indexOf(failed) : steps.length;
  list.replaceChildren(
    ...steps.map((step, i) => {
      const kind = i < at ? "good" : i === at ? "bad" : "none";
      const item = element("li");
      item.dataset.step = step;
      item.dataset.state = kind;
      item.append(element("span", t(`mark-${kind}`), `mark-${kind}`), ` ${t(`step-${step}`)} `, element("code", step));
      return item;
    }),
  );
};

const writePairs = (pairs) => {
  const list = element("dl");
  for (const [name, value] of pairs) list.append(element("dt", name), element("dd", value));
  return list;
};

const writeProven = (good) => {
  const words = good.claims
    .filter(([name]) => name !== "holder")
    .map(([name, value]) => [WORDS[`claim-${name}`] ? t(`claim-${name}`) : name, valueInWords(value)]);
  const signed = element("ul");
  for (const w of good.witnesses) {
    signed.append(element("li", t("signed", { label: readable(w.label), name: w.name, time: timeInWords(w.time) })));
  }
  const facts = [
    [t("fact-code"), good.code],
    [t("fact-entry"), t("fact-entry-of", { index: good.index, origin: good.checkpoint.origin })],
    [t("fact-size"), t("fact-size-is", { size: good.checkpoint.size })],
    [t("fact-leaf"), hex(good.leaf)],
  ];
  const { until } = good.policy;
  if (until.size) {
    const size = good.key.until ?? [...until.values()].reduce((a, b) => (a > b ? a : b));
    facts.push([t("fact-key"), t(good.key.until === undefined ? "fact-key-since" : "fact-key-until", { id: good.key.id, size })]);
  }
  const parts = [element("h3", t("proven-what"))];
  parts.push(words.length ? writePairs(words) : element("p", t("proven-nothing")));
  parts.push(element("h3", t("proven-who")), element("p", t("proven-who-why")), signed);
  parts.push(element("h3", t("proven-where")), writePairs(facts));
  $("proven").replaceChildren(...parts);
};

const writeResult = () => {
  const { result } = state;
  $("result").hidden = result === null;
  $("ask").hidden = !result?.good;
  if (result === null) return;
  $("result").dataset.state = result.good ? "good" : "bad";
  $("result").dataset.step = result.refused?.step ?? "";
  $("h-result").textContent = t(result.good ? "holds" : "holds-not");
  $("result-why").textContent = result.good
    ? t("holds-why")
    : t("failed", { number: STEPS.indexOf(result.refused.step) + 1, step: t(`step-${result.refused.step}`), sentence: whyInWords(result.refused) });
  if (result.good) writeProven(result.good);
  else $("proven").replaceChildren();
  writeSteps($("steps"), STEPS, result.refused?.step);
};

const writeMirrors = () => {
  const witnesses = state.result?.good?.policy.witnesses.filter((w) => w.url) ?? [];
  const options = witnesses.map((w) => {
    const option = element("option", `${readable(w.label)} · ${readable(w.url)}`);
    option.value = readable(w.url);
    return option;
  });
  const other = element("option", t("ask-other"));
  other.value = "";
  $("mirror").replaceChildren(...options, other);
  if ([...$("mirror").options].some((option) => option.value === state.mirror)) $("mirror").value = state.mirror;
  $("other").hidden = $("mirror").value !== "";
};

const writeNewest = () => {
  const { newest } = state;
  $("newest").hidden = newest === null;
  if (newest === null) return;
  const { good, refused, unreachable, unasked } = newest;
  $("newest").dataset.state = good ? "good" : "bad";
  $("newest").dataset.step = refused?.step ?? "";
  $("h-newest").textContent = t(good ? "continues" : refused ? "continues-not" : unasked ? "unasked" : "unanswered");
  if (good) {
    const signed = good.witnesses.map((w) => t("signed-newest", { label: readable(w.label), time: timeInWords(w.time) }));
    const more = good.checkpoint.size - state.result.good.checkpoint.size;
    $("newest-why").textContent = [t("continues-why", { size: good.checkpoint.size, more }), ...signed].join(" ");
  } else if (refused) {
    const number = COPY_STEPS.indexOf(refused.step) + STEPS.length + 1;
    $("newest-why").textContent = t("failed", { number, step: t(`step-${refused.step}`), sentence: whyInWords(refused) });
  } else {
    $("newest-why").textContent = unasked ? t("address-wrong") : t("unreachable", { address: unreachable });
  }
  const facts = good ? [[t("fact-size"), String(good.checkpoint.size)], [t("fact-root"), hex(good.checkpoint.root)]] : [];
  $("newest-facts").replaceChildren(...(good ? [writePairs(facts)] : []));
  $("newest-steps").hidden = !good && !refused;
  writeSteps($("newest-steps"), COPY_STEPS, refused?.step);
};

const render = () => {
  document.documentElement.lang = state.language;
  document.title = `${t("title")} – Kulla`;
  for (const part of document.querySelectorAll("[data-t]")) part.textContent = t(part.dataset.t);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === state.language));
  }
  $("trouble").hidden = state.trouble === null;
  $("trouble").textContent = state.trouble === null ? "" : t(state.trouble);
  for (const part of ["receipt", "policy"]) {
    const said = state.said[part];
    $(`${part}-said`).textContent = said ? t(said.key, said.values) : "";
  }
  writeResult();
  writeMirrors();
  writeNewest();
};

const say = (part, key, values = {}) => {
  state.said[part] = { key, values };
  render();
};

// --- Reading ------------------------------------------------------------------------------------------------------

/** Mail programs and editors add a byte order mark and Windows line ends; neither is part of any of the formats. */
const cleaned = (bytes) => {
  const bare = same(bytes.subarray(0, 3), [0xef, 0xbb, 0xbf]) ? bytes.subarray(3) : bytes;
  return bytesOf(binaryOf(bare).replaceAll("\r\n", "\n"));
};

const isPdf = (bytes) => binaryOf(bytes.subarray(0, 5)) === "%PDF-";

/** The receipt's text from the bytes of a file. */
const receiptText = async (bytes) => textOf(isPdf(bytes) ? await attachedProof(bytes) : cleaned(bytes), "not-text");

/** Something else is to be checked now: no answer about what stood there before may stay on the page. */
const changed = (part) => {
  [state.result, state.newest, state[part], state.said[part]] = [null, null, null, null];
  state.turn[part] += 1;
  return state.turn[part];
};

const setPolicy = async (bytes, key) => {
  state.policy = bytes;
  say("policy", key, { fingerprint: hex(await sha256(bytes)) });
};

/** Somebody types or pastes: that counts, not a file chosen before. */
const onTyped = (part) => {
  changed(part);
  $(`${part}-file`).value = "";
  render();
};

/** Read a chosen file and hand its bytes on, unless something else was chosen meanwhile. */
const onFile = async (part, file, take) => {
  const turn = changed(part);
  if (!file) return say(part, `${part}-none`);
  $(`${part}-text`).value = "";
  if (file.size > MAX_FILE) return say(part, "why-too-large");
  render();
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    await take(bytes, () => state.turn[part] === turn);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    if (state.turn[part] === turn) say(part, `why-${error.why}`);
  }
};

const onReceiptFile = (file) =>
  onFile("receipt", file, async (bytes, current) => {
    const text = await receiptText(bytes);
    if (!current()) return;
    state.receipt = text;
    say("receipt", "receipt-read", { name: file.name });
  });

const onPolicyFile = (file) =>
  onFile("policy", file, async (bytes, current) => {
    if (current()) await setPolicy(cleaned(bytes), "policy-read");
  });

// --- The network: only when a button that says so is pressed, only to the address beside it ------------------------

class Unreachable extends Error {}

const get = async (url, limit) => {
  try {
    const answer = await fetch(url, { mode: "cors", credentials: "omit", cache: "no-store", redirect: "error", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Unreachable(url);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (bytes.length > limit) throw new Unreachable(url);
    return bytes;
  } catch (error) {
    throw error instanceof Unreachable ? error : new Unreachable(url);
  }
};

const addressOf = (text) => {
  const bare = text.trim().replace(/\/+$/, "");
  return /^https?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/.test(bare) ? bare : null;
};

const onPolicyLoad = async () => {
  const address = addressOf($("policy-address").value);
  if (!address) return say("policy", "address-wrong");
  const turn = state.turn.policy;
  try {
    const bytes = await get(`${address}/policy`, 1_000_000);
    if (state.turn.policy !== turn) return undefined; // meanwhile another one was given
    if (bytes === null) return say("policy", "policy-absent", { address });
    changed("policy");
    $("policy-file").value = "";
    $("policy-text").value = readable(binaryOf(bytes));
    await setPolicy(bytes, "policy-loaded");
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    say("policy", "unreachable", { address });
  }
};

const onAsk = async () => {
  const address = addressOf($("mirror").value || $("mirror-address").value);
  const { result } = state;
  let answer;
  if (!address) {
    answer = { unasked: true };
  } else {
    const { good } = result;
    const prefix = `${address}/${hex(await sha256(utf8(good.checkpoint.origin)))}`;
    try {
      answer = { good: await verifyAgainst(good, (path) => get(`${prefix}/${path}`, 1_000_000)) };
    } catch (error) {
      if (error instanceof Refused) answer = { refused: error };
      else if (error instanceof Unreachable) answer = { unreachable: address };
      else throw error;
    }
  }
  if (state.result !== result) return; // meanwhile another receipt was given
  state.newest = answer;
  render();
  $("h-newest").focus();
};

// --- Checking -----------------------------------------------------------------------------------------------------

const onCheck = async () => {
  [state.result, state.newest] = [null, null];
  const pasted = $("policy-text").value;
  const text = state.receipt ?? textOf(cleaned(utf8($("receipt-text").value)), "not-text");
  if (!text.trim()) {
    say("receipt", "receipt-none");
    return $("receipt-file").focus();
  }
  // What was loaded is checked as its bytes; the field only shows it until somebody types there.
  if (!state.policy && pasted.trim()) await setPolicy(cleaned(utf8(pasted)), "policy-read");
  if (!state.policy) {
    say("policy", "policy-none");
    return $("policy-file").focus();
  }
  const turns = JSON.stringify(state.turn);
  let result;
  try {
    result = { good: await verifyReceipt(text, state.policy) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    result = { refused: error };
  }
  if (JSON.stringify(state.turn) !== turns) return undefined;
  state.result = result;
  render();
  $("h-result").focus();
};

/** Run what a button does, once at a time; a browser without the needed cryptography is told so. */
const busy = (button, work) => async (event) => {
  event?.preventDefault();
  if (button.getAttribute("aria-disabled")) return; // not `disabled`: that would take the focus away
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } catch (error) {
    state.trouble = error.name === "NotSupportedError" ? "no-ed25519" : "unexpected";
    render();
    if (state.trouble === "unexpected") console.error(error);
  } finally {
    button.removeAttribute("aria-disabled");
  }
};

const begin = async () => {
  state.language = navigator.languages?.some((l) => l.toLowerCase().startsWith("sq")) || location.hash === "#sq" ? "sq" : "en";
  if (location.hash === "#en") state.language = "en";
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      state.language = button.dataset.language;
      render();
    });
  }
  $("receipt-file").addEventListener("change", (event) => onReceiptFile(event.target.files[0]));
  $("policy-file").addEventListener("change", (event) => onPolicyFile(event.target.files[0]));
  for (const part of ["receipt", "policy"]) $(`${part}-text`).addEventListener("input", () => onTyped(part));
  $("policy-load").addEventListener("click", busy($("policy-load"), onPolicyLoad));
  $("mirror").addEventListener("change", (event) => {
    state.mirror = event.target.value;
    render();
  });
  $("form").addEventListener("submit", busy($("check"), onCheck));
  $("ask-form").addEventListener("submit", busy($("ask-button"), onAsk));
  if (location.protocol === "http:" || location.protocol === "https:") $("policy-address").value = location.origin;
  if (!crypto.subtle) state.trouble = "insecure";
  render();
  if (!crypto.subtle) return;
  try {
    await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    if (error.name === "NotSupportedError") state.trouble = "no-ed25519";
    render();
  }
};

begin();
