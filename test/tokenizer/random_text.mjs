// Random strings that tokenizers get wrong: every block of Unicode, white space, contractions, added tokens.
// Shared by the differential test and scripts/differential-tokenizers.mjs.

/** mulberry32: numbers in [0, 1) that depend on the seed alone. */
export function random_numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const BLOCKS = [
  [0x00, 0x7f], [0x80, 0x24f], [0x250, 0x36f], [0x370, 0x52f], [0x590, 0x6ff], [0x900, 0xdff], [0xe00, 0xfff],
  [0x1000, 0x11ff], [0x1200, 0x1fff], [0x2000, 0x206f], [0x2070, 0x2bff], [0x2c00, 0x2fff], [0x3000, 0x30ff],
  [0x3100, 0x33ff], [0x4e00, 0x9fff], [0xa000, 0xabff], [0xac00, 0xd7ff], [0xe000, 0xf8ff], [0xf900, 0xfaff],
  [0xfb00, 0xffff], [0x10000, 0x10fff], [0x11000, 0x12fff], [0x1d000, 0x1dfff], [0x1f000, 0x1faff],
  [0x20000, 0x2a6df], [0xe0000, 0xe01ef], [0x300, 0x36f], [0xd800, 0xdfff],
]; // biome-ignore format: a table

const SPACES = [" ", "  ", "    ", "\t", "\n", "\r\n", "\n\n", " \n ", "\u00a0", "\u3000", "\u2028", "\u0085", "\u200b", "\f", "\v"];
const WORDS = [
  "the", "Hello", "don't", "WE'LL", "it's", "I'M", "you've", "'s", "'ſ", "'RE", "naïve", "café", "über", "İstanbul",
  "straße", "ΣΊΣΥΦΟΣ", "Привет", "مرحبا", "שלום", "नमस्ते", "สวัสดี", "你好世界", "こんにちは", "カタカナ", "안녕", "ﬁne", "①②", "½", "Ⅷ", "٣٤",
  "1234567", "3.14", "10:30", "x=1;", "/*", "//", "{}", "foo_bar", "fooBar", "HTTPServer", "a\u0301", "e\u0323\u0302", "\u1112\u1161\u11ab",
  "👩‍👩‍👧", "👍🏽", "🇩🇪", "😀", "▁", "Ġ", "##a", "<0x41>", "\u0000", "…", "—", "“q”", "'", "''", "...", "!?", "$5", "a/b\n", "\u200d", "\ufeff",
];

/** One string. `tokens` are texts to embed, such as added tokens. */
export function random_text(random, tokens = []) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const parts = [];
  const count = 1 + Math.floor(random() * (random() < 0.05 ? 60 : 8));
  for (let i = 0; i < count; i++) {
    const kind = random();
    if (kind < 0.35) parts.push(pick(WORDS));
    else if (kind < 0.55) parts.push(pick(SPACES));
    else if (kind < 0.65 && tokens.length > 0) parts.push(pick(tokens));
    else if (kind < 0.72) parts.push(pick(WORDS) + pick(WORDS));
    else if (kind < 0.74) parts.push(pick(["a", "1", " ", "ab", "é", "!", "▁"]).repeat(1 + Math.floor(random() * 200)));
    else {
      const [first, last] = random() < 0.3 ? [0x20, 0x7e] : pick(BLOCKS);
      const length = 1 + Math.floor(random() * 6);
      for (let k = 0; k < length; k++) {
        const c = first + Math.floor(random() * (last - first + 1));
        parts.push(c >= 0xd800 && c <= 0xdfff ? String.fromCharCode(c) : String.fromCodePoint(c));
      }
    }
  }
  return parts.join("");
}
