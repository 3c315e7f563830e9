// The steps of verify.py: a receipt against a policy, then a mirror's copy of the log against the receipt.

const STEPS = ["policy", "receipt", "claims", "journal", "mirrors", "inclusion"];
const COPY_STEPS = ["newest", "consistency"];

/** Run one step: what its formats refuse is refused in its name. */
const inStep = async (step, work) => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Malformed) throw new Refused(step, error.why, error.values);
    throw error;
  }
};

/** RFC 9162 §2.1.3.2. */
const verifyInclusion = async (leaf, index, size, proof, root) => {
  ensure(index < size, "beyond", { index, size });
  let [fn, sn, r] = [index, size - 1n, leaf];
  for (const p of proof) {
    ensure(sn !== 0n, "proof-too-long");
    if (fn & 1n || fn === sn) {
      r = await nodeHash(p, r);
      while (!(fn & 1n)) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      r = await nodeHash(r, p);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  ensure(sn === 0n, "proof-too-short");
  ensure(same(r, root), "other-root");
};

/** A checkpoint signed by a journal of the policy. Nothing of its text is used before a listed key has signed it. */
const openSigned = async (policy, noteText) => {
  const note = splitNote(noteText);
  const logs = await verifiedBy(note, policy.logs);
  ensure(logs.size > 0, "unknown-journal");
  const checkpoint = parseCheckpoint(note.text);
  const own = policy.logs.filter((key) => logs.has(key) && key.name === checkpoint.origin);
  ensure(own.length > 0, "unknown-journal");
  const until = (key) => policy.until.get(key.id);
  const valid = own.find((key) => until(key) === undefined || checkpoint.size <= until(key));
  ensure(valid, "key-old", { size: checkpoint.size, id: own[0].id, until: until(own[0]) });
  return { note, checkpoint, key: { id: valid.id, until: until(valid) } };
};

const cosignedBy = async (policy, note) => {
  const found = await verifiedBy(note, policy.witnesses);
  return policy.witnesses.filter((w) => found.has(w)).map((w) => ({ label: w.label, name: w.name, time: found.get(w) }));
};

/** Verify a receipt (text) against a policy (bytes). Gives what is proven, or throws Refused. */
const verifyReceipt = async (text, policyBytes) => {
  const policy = await inStep("policy", () => parsePolicy(binaryOf(policyBytes)));
  const receipt = await inStep("receipt", () => parseReceipt(text));
  const claims = await inStep("claims", () => (receipt.claims.length ? parseClaims(receipt.claims) : []));
  const { note, checkpoint, key } = await inStep("journal", () => openSigned(policy, receipt.note));
  const witnesses = await inStep("mirrors", async () => {
    const signed = await cosignedBy(policy, note);
    const enough = satisfied(policy, new Set(signed.map((w) => w.label)));
    ensure(enough, "no-quorum", { count: signed.length, known: policy.witnesses.length });
    return signed;
  });
  const data = join([1], await sha256(receipt.sealed), await sha256(receipt.claims));
  const leaf = await leafHash(data);
  await inStep("inclusion", () =>
    verifyInclusion(leaf, receipt.index, checkpoint.size, receipt.hashes, checkpoint.root),
  );
  return { policy, claims, checkpoint, key, witnesses, leaf, index: receipt.index, code: checkCode(leaf) };
};

// --- A copy of the log --------------------------------------------------------------------------------------------

const WIDTH = 256n;

const tilePath = (level, n, width) => {
  let path = (n % 1000n).toString().padStart(3, "0");
  for (let rest = n / 1000n; rest > 0n; rest /= 1000n) {
    path = `x${(rest % 1000n).toString().padStart(3, "0")}/${path}`;
  }
  return `tile/${level}/${path}${width === WIDTH ? "" : `.p/${width}`}`;
};

/** Rows of parents above these hashes, complete subtrees only. */
const pyramid = async (hashes) => {
  const rows = [hashes];
  while (rows.at(-1).length > 1) {
    const below = rows.at(-1);
    const row = [];
    for (let i = 0; i + 1 < below.length; i += 2) row.push(await nodeHash(below[i], below[i + 1]));
    rows.push(row);
  }
  return rows;
};

/** Hashes of a copy's tiles; no tile is believed before it has been followed up to the root. */
class TileReader {
  constructor(fetch, size, root) {
    [this.fetch, this.size, this.root, this.tiles] = [fetch, size, root, new Map()];
  }

  /** The partial tiles at the right edge: together they must fold to the root. */
  async edge() {
    const peaks = [];
    for (let [level, left] = [0n, this.size]; left > 0n; [level, left] = [level + 1n, left / WIDTH]) {
      if (left % WIDTH === 0n) continue;
      const rows = await pyramid(await this.read(level, left / WIDTH, left % WIDTH));
      this.tiles.set(`${level}/${left / WIDTH}`, rows);
      for (const row of rows) if (row.length % 2) peaks.push(row.at(-1));
    }
    let root = this.size ? peaks[0] : await sha256(new Uint8Array());
    for (const peak of peaks.slice(1)) root = await nodeHash(peak, root);
    ensure(same(root, this.root), "tile-edge");
  }

  async read(level, n, width) {
    let [path, expected] = [tilePath(level, n, width), width];
    let bytes = await this.fetch(path);
    if (bytes === null && width < WIDTH) {
      [path, expected] = [tilePath(level, n, WIDTH), WIDTH];
      bytes = await this.fetch(path);
    }
    ensure(bytes !== null, "missing", { path });
    ensure(bytes.length === Number(expected) * HASH, "tile-length", { path });
    return Array.from({ length: Number(width) }, (_, i) => bytes.subarray(i * HASH, i * HASH + HASH));
  }

  async tile(level, n) {
    const key = `${level}/${n}`;
    if (!this.tiles.has(key)) {
      const rows = await pyramid(await this.read(level, n, WIDTH));
      const above = await this.hashAt((level + 1n) * 8n, n);
      ensure(same(rows.at(-1)[0], above), "tile-root", { path: tilePath(level, n, WIDTH) });
      this.tiles.set(key, rows);
    }
    return this.tiles.get(key);
  }

  /** The hash of the complete subtree over leaves [index << level, (index + 1) << level). */
  async hashAt(level, index) {
    const within = level % 8n;
    const first = index << within;
    const rows = await this.tile(level / 8n, first / WIDTH);
    return rows[Number(within)][Number((first % WIDTH) >> within)];
  }

  /** The root of the tree of the first `size` leaves. */
  async rootAt(size) {
    const peaks = [];
    for (let [at, left] = [0n, size]; left > 0n; ) {
      const level = BigInt(left.toString(2).length - 1);
      peaks.push(await this.hashAt(level, at >> level));
      [at, left] = [at + (1n << level), left - (1n << level)];
    }
    let root = peaks.pop() ?? (await sha256(new Uint8Array()));
    for (const peak of peaks.reverse()) root = await nodeHash(peak, root);
    return root;
  }
}

/**
 * Verify that a copy of the log continues the receipt's journal. `fetch(path)` gives bytes, or null for nothing.
 * With every tile followed up to the newest root, the older root computed from them is proven to be its beginning.
 */
const verifyAgainst = async (verified, fetch) => {
  const { note, checkpoint } = await inStep("newest", async () => {
    const bytes = await fetch("checkpoint");
    ensure(bytes !== null, "missing", { path: "checkpoint" });
    const opened = await openSigned(verified.policy, textOf(bytes, "note-utf8"));
    ensure(opened.checkpoint.origin === verified.checkpoint.origin, "other-journal");
    return opened;
  });
  const witnesses = await inStep("newest", () => cosignedBy(verified.policy, note));
  await inStep("consistency", async () => {
    const [old, now] = [verified.checkpoint, checkpoint];
    ensure(now.size >= old.size, "rolled-back", { now: now.size, old: old.size });
    ensure(now.size > old.size || same(now.root, old.root), "forked-same", { size: now.size });
    const reader = new TileReader(fetch, now.size, now.root);
    await reader.edge();
    ensure(same(await reader.rootAt(old.size), old.root), "forked");
    ensure(same(await reader.hashAt(0n, verified.index), verified.leaf), "entry-gone");
  });
  return { checkpoint, witnesses };
};
