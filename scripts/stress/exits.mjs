// Ends processes in every way while they generate; prints how many of 20 ended as they must.
//   node scripts/stress/exits.mjs [times] [model folder [folder of its assistant]]
import { endings, run, subjects } from "./endings.mjs";

const times = Number(process.argv[2] ?? 20);
const given = process.argv.slice(3);
let failures = 0;
for (const [what, folders] of Object.entries(given.length > 0 ? { [given[0]]: given } : subjects)) {
  for (const name of Object.keys(endings)) {
    let good = 0;
    for (let i = 0; i < times; i++) {
      const problem = await run(name, folders);
      if (problem) console.error(`${what}, ${name}: ${problem}`);
      else good++;
    }
    failures += times - good;
    console.log(`${what}, ${name}: ${good} of ${times}`);
  }
}
process.exitCode = failures ? 1 : 0;
