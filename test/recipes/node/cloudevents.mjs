// Checks lines of CloudEvents JSON with the CloudEvents SDK: strict validation against the specification's schema.
// cloudevents.mjs FILE: prints the first problems.
import fs from 'node:fs';
import readline from 'node:readline';
import { CloudEvent } from 'cloudevents';

let lines = 0;
let problems = 0;
for await (const line of readline.createInterface({ input: fs.createReadStream(process.argv[2]) })) {
  if (line === '') continue;
  lines++;
  try {
    const event = new CloudEvent(JSON.parse(line), true);
    event.validate();
    if (JSON.stringify(JSON.parse(event.toString()).data) !== JSON.stringify(JSON.parse(line).data)) throw new Error('data is changed');
  } catch (error) {
    if (problems++ < 5) console.log(`${error.message}: ${JSON.stringify(error.errors ?? '')} ${line.slice(0, 300)}`);
  }
}
if (lines === 0) console.log('there is no event');
