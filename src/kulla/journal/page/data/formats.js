// Reading the open formats: bytes, base64, hashes, signed notes, checkpoints, policies, proofs, claims.
// The same rules as note.py, checkpoint.py, policy.py, proof.py, receipt.py and claims.py, in the same order.
// Text whose bytes matter is kept as a "binary string": one character for each byte.

const MAX_FILE = 8 << 20;

/** What refuses: `step` is one of STEPS, `why` a key of the words, `values` what stands in its braces. */
class Refused extends Error {
  constructor(step, why, values = {}) {
    super(`${step}: ${why}`);
    this.step = step;
    this.why = why;
    this.values = values;
  }
}

/** A format's own refusal; the step that reads it gives it its place. */
class Malformed extends Error {
  constructor(why, values = {}) {
    super(why);
    this.why = why;
    this.values = values;
  }
}

const ensure = (right, why, values) => {
  if (!right) throw new Malformed(why, values);
};

const utf8 = (text) => new TextEncoder().encode(text);
const bytesOf = (binary) => Uint8Array.from(binary, (c) => c.charCodeAt(0));

const binaryOf = (bytes) => {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return binary;
};

const textOf = (bytes, why) => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed(why);
  }
};

/** Opaque octets as people read them; never for comparing. */
const readable = (binary) => new TextDecoder().decode(bytesOf(binary));

const join = (...parts) => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Canonical base64 only: no other spelling of the same bytes. */
const unb64 = (text) => {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new Malformed("base64");
  }
  ensure(btoa(binary) === text, "base64");
  return bytesOf(binary);
};

const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const leafHash = (data) => sha256(join([0], data));
const nodeHash = (left, right) => sha256(join([1], left, right));
const HASH = 32;

/** An ASCII decimal without leading zeros below 2**63, as a BigInt. */
const parseSize = (text) => {
  ensure(/^(0|[1-9][0-9]{0,18})$/.test(text) && BigInt(text) < 1n << 63n, "number");
  return BigInt(text);
};

// --- Keys and notes (signed-note, tlog-cosignature) ---------------------------------------------------------------

const ED25519 = 1;
const COSIGNATURE = 4;

const checkName = (name) => {
  ensure(name !== "" && !/[\p{White_Space}+\u0000-\u001f]/u.test(name), "name");
  return name;
};

/** A verifier key from a binary string. */
const parseVkey = async (binary) => {
  const first = binary.indexOf("+");
  const second = binary.indexOf("+", first + 1);
  ensure(first >= 0 && second >= 0, "vkey");
  const name = checkName(textOf(bytesOf(binary.slice(0, first)), "name"));
  const material = unb64(binary.slice(second + 1));
  ensure(material.length === 33 && [ED25519, COSIGNATURE].includes(material[0]), "vkey-kind", { name });
  const id = (await sha256(join(utf8(`${name}\n`), material))).subarray(0, 4);
  ensure(binary.slice(first + 1, second) === hex(id), "vkey-id", { name });
  return { name, id: hex(id), kind: material[0], raw: material.subarray(1) };
};

/** Check the bytes after the key id. Gives the cosignature's time in seconds (BigInt), or null. */
const verifySignature = async (key, text, signature) => {
  let [message, bare, time] = [utf8(text), signature, null];
  if (key.kind === COSIGNATURE) {
    ensure(signature.length === 72, "signature-length", { name: key.name });
    time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
    ensure(time < 1n << 63n, "signature-time", { name: key.name });
    message = utf8(`cosignature/v1\ntime ${time}\n${text}`);
    bare = signature.subarray(8);
  }
  let good = false;
  try {
    const imported = await crypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, ["verify"]);
    good = await crypto.subtle.verify({ name: "Ed25519" }, imported, bare, message);
  } catch (error) {
    if (error.name === "NotSupportedError") throw error;
  }
  ensure(good, "signature", { name: key.name });
  return time;
};

const MAX_NOTE = 1_000_000;
const MAX_SIGNATURES = 100;

/** Take a note apart without verifying. The text ends before the last empty line. */
const splitNote = (note) => {
  ensure(note.length <= MAX_NOTE, "note-long");
  ensure(!/[\u0000-\u0009\u000b-\u001f]/.test(note), "note-control");
  const at = note.lastIndexOf("\n\n");
  ensure(at >= 0, "note-unsigned");
  ensure(note.endsWith("\n") && note.length > at + 2, "note-cut");
  const lines = note.slice(at + 2, -1).split("\n");
  ensure(lines.length <= MAX_SIGNATURES, "note-signatures");
  const signatures = lines.map((line) => {
    const parts = line.split(" ");
    ensure(parts.length === 3 && parts[0] === "—", "note-line");
    const data = unb64(parts[2]);
    ensure(data.length >= 5, "note-line");
    return { name: checkName(parts[1]), id: hex(data.subarray(0, 4)), signature: data.subarray(4) };
  });
  return { text: note.slice(0, at + 1), signatures };
};

/** [key, time] of those of `keys` that signed, each once. Refuses when one's signature is wrong. */
const verifiedBy = async (note, keys) => {
  const good = new Map();
  for (const line of note.signatures) {
    const key = keys.find((known) => known.name === line.name && known.id === line.id);
    if (!key) continue;
    const time = await verifySignature(key, note.text, line.signature);
    if (!good.has(key)) good.set(key, time);
  }
  return good;
};

const parseCheckpoint = (text) => {
  const lines = text.split("\n");
  ensure(lines.length >= 4 && lines.at(-1) === "" && !lines.slice(0, -1).includes(""), "checkpoint");
  const root = unb64(lines[2]);
  ensure(root.length === HASH, "checkpoint");
  return { origin: lines[0], size: parseSize(lines[1]), root };
};

// --- Policy (tlog-policy); `binary` because octets beyond ASCII are opaque ----------------------------------------

const MAX_NAMED = 1000;

const parsePolicy = async (binary) => {
  const policy = { logs: [], witnesses: [], groups: new Map(), quorum: null, until: new Map() };
  const members = new Set();
  const known = (name) => policy.groups.has(name) || policy.witnesses.some((w) => w.label === name);
  const free = (name) => ensure(name !== "none" && !known(name), "policy-taken", { name: readable(name) });
  const defined = (name) => ensure(known(name), "policy-undefined", { name: readable(name) });
  const once = (keys, key) => ensure(!keys.some((other) => same(other.raw, key.raw)), "policy-twice", { name: key.name });
  const line = async (words) => {
    const [kind, name, ...rest] = words;
    const named = policy.logs.length + policy.witnesses.length + policy.groups.size;
    ensure(named < MAX_NAMED || kind === "quorum", "policy-many", { count: MAX_NAMED });
    if (kind === "log" && words.length >= 2 && words.length <= 3) {
      const key = await parseVkey(name);
      once(policy.logs, key);
      policy.logs.push({ ...key, url: rest[0] ?? null });
    } else if (kind === "witness" && words.length >= 3 && words.length <= 4) {
      free(name);
      const key = await parseVkey(rest[0]);
      ensure(key.kind === COSIGNATURE, "policy-witness", { name: readable(name) });
      once(policy.witnesses, key);
      policy.witnesses.push({ ...key, label: name, url: rest[1] ?? null });
    } else if (kind === "group" && words.length >= 3) {
      const [threshold, ...list] = rest;
      free(name);
      for (const member of list) {
        defined(member);
        ensure(!members.has(member), "policy-member", { name: readable(member) });
        members.add(member);
      }
      ensure(list.length > 0 && /^(all|any|[1-9][0-9]{0,5})$/.test(threshold), "policy-group", { name: readable(name) });
      const needed = threshold === "all" ? list.length : threshold === "any" ? 1 : Number(threshold);
      ensure(needed <= list.length, "policy-threshold", { name: readable(name) });
      policy.groups.set(name, { needed, list });
    } else if (kind === "quorum" && words.length === 2) {
      ensure(policy.quorum === null, "policy-quorums");
      if (name !== "none") defined(name);
      policy.quorum = name;
    } else {
      throw new Malformed("policy-line");
    }
  };
  // Our own lines are comments to other readers; a misspelt one would limit nothing, so it is refused.
  const ourLine = (words) => {
    ensure(words.length === 4 && words[1] === "key-until" && /^[0-9a-f]{8}$/.test(words[2]), "policy-ours");
    ensure(!policy.until.has(words[2]), "policy-limit");
    policy.until.set(words[2], parseSize(words[3]));
  };
  ensure(binary.length <= 1_000_000, "policy-long");
  for (const [at, raw] of binary.split("\n").entries()) {
    try {
      ensure(!/[\u0000-\u0008\u000b-\u001f\u007f]/.test(raw), "policy-control");
      const words = raw.split(/[ \t]+/).filter((word) => word !== "");
      if (words[0] === "#kulla") ourLine(words);
      else if (words.length && !words[0].startsWith("#")) await line(words);
    } catch (error) {
      if (error instanceof Malformed) error.values.line = at + 1;
      throw error;
    }
  }
  ensure(policy.quorum !== null, "policy-no-quorum");
  for (const id of policy.until.keys()) ensure(policy.logs.some((key) => key.id === id), "policy-limit");
  return policy;
};

/** A group names only what stands above it, so one pass in the file's order settles all, however deep. */
const satisfied = (policy, labels) => {
  const met = new Set(labels);
  for (const [name, group] of policy.groups) {
    if (group.list.filter((member) => met.has(member)).length >= group.needed) met.add(name);
  }
  return policy.quorum === "none" || met.has(policy.quorum);
};

// --- Proof, receipt, claims ---------------------------------------------------------------------------------------

const parseProof = (text) => {
  ensure(text.length <= 8_000_000, "proof-long");
  const at = text.indexOf("\n\n");
  ensure(at >= 0 && text.length > at + 2, "proof-cut");
  const lines = text.slice(0, at).split("\n");
  ensure(lines.shift() === "c2sp.org/tlog-proof@v1", "proof-header");
  const extra = lines[0]?.startsWith("extra ") ? unb64(lines.shift().slice(6)) : null;
  ensure(lines[0]?.startsWith("index "), "proof-index");
  const index = parseSize(lines.shift().slice(6));
  const hashes = lines.map(unb64);
  ensure(hashes.length <= 63 && hashes.every((hash) => hash.length === HASH), "proof-hashes");
  return { index, hashes, note: text.slice(at + 2), extra };
};

const parseReceipt = (text) => {
  const proof = parseProof(text);
  ensure(proof.extra !== null, "receipt-bare");
  let fields;
  try {
    fields = JSON.parse(textOf(proof.extra, "receipt-json"));
  } catch {
    throw new Malformed("receipt-json");
  }
  const plain = typeof fields === "object" && fields !== null && !Array.isArray(fields);
  ensure(plain && fields.v === 1, "receipt-version");
  const field = (name) => {
    ensure(Object.hasOwn(fields, name) && typeof fields[name] === "string", "receipt-field", { name });
    return unb64(fields[name]);
  };
  if (fields.holder_salt !== undefined && fields.holder_salt !== null) field("holder_salt");
  field("segment");
  return { ...proof, claims: field("claims"), sealed: field("sealed") };
};

/** [[name, value], …] of canonical claims, without the salt. */
const parseClaims = (bytes) => {
  const text = textOf(bytes, "claims-utf8");
  const header = "kulla-claims/1\n";
  ensure(text.startsWith(header) && text.endsWith("\n"), "claims-version");
  ensure(bytes.length <= 16_384, "claims-form");
  const pairs = text.slice(header.length, -1).split("\n").map((line) => {
    const at = line.indexOf(": ");
    ensure(at >= 0, "claims-form");
    return [line.slice(0, at), line.slice(at + 2)];
  });
  const [last, salt] = pairs.pop();
  ensure(last === "salt" && /^[0-9a-f]{32}$/.test(salt), "claims-salt");
  const names = pairs.map(([name]) => name);
  ensure(new Set(names).size === names.length && !names.includes("salt"), "claims-form");
  for (const [name, value] of pairs) {
    ensure(/^[a-z][a-z0-9_-]{0,31}$/.test(name), "claims-form");
    ensure(!/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(value) && value.normalize("NFC") === value, "claims-form");
  }
  return pairs;
};

/** The first 40 bits of the leaf hash in base32: the code on the paper. */
const checkCode = (leaf) => {
  const bits = Array.from(leaf.subarray(0, 5), (byte) => byte.toString(2).padStart(8, "0")).join("");
  const code = bits.match(/.{5}/g).map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[parseInt(five, 2)]).join("");
  return `${code.slice(0, 4)}-${code.slice(4)}`;
};
