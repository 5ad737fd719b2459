const ARTIFACTS: [string, string][] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** Takes out the spaces that English word pieces leave before punctuation and short forms, as Python's static method. */
export function clean_up_tokenization(text: string): string {
  return ARTIFACTS.reduce((out, [artifact, clean]) => out.replaceAll(artifact, clean), text);
}
