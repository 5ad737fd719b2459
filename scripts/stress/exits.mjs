// Ends processes in every way while they generate; prints how many of 20 ended as they must.
//   node scripts/stress/exits.mjs [times] [model folder]
import { endings, run } from "./endings.mjs";

const times = Number(process.argv[2] ?? 20);
const folder = process.argv[3];
let failures = 0;
for (const name of Object.keys(endings)) {
  let good = 0;
  for (let i = 0; i < times; i++) {
    const problem = await run(name, folder);
    if (problem) console.error(`${name}: ${problem}`);
    else good++;
  }
  failures += times - good;
  console.log(`${name}: ${good} of ${times}`);
}
process.exitCode = failures ? 1 : 0;
