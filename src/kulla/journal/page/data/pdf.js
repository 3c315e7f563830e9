// The proof that is attached to a receipt's PDF, as pdf.py reads it.

const inflate = async (bytes) => {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const parts = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return join(...parts);
    length += value.length;
    if (length > MAX_FILE) throw new RangeError("too large");
    parts.push(value);
  }
};

/** The first attached file that begins like a proof, as bytes. */
const attachedProof = async (bytes) => {
  const binary = binaryOf(bytes);
  for (const found of binary.matchAll(/\/EmbeddedFile\b/g)) {
    const after = binary.slice(found.index, found.index + 4096);
    const stream = /stream\r?\n/.exec(after);
    if (!stream) continue;
    const start = found.index + stream.index + stream[0].length;
    const head = binary.slice(Math.max(binary.lastIndexOf("obj", found.index), 0), found.index + stream.index);
    const length = /\/Length ([0-9]{1,8})\b(?! [0-9]+ R)/.exec(head);
    if (!length || head.includes("endobj")) continue;
    let content = bytes.subarray(start, start + Number(length[1]));
    if (head.includes("/FlateDecode")) {
      try {
        content = await inflate(content);
      } catch {
        continue;
      }
    }
    if (binaryOf(content.subarray(0, 20)) === "c2sp.org/tlog-proof@") return content;
  }
  throw new Malformed("pdf-empty");
};
