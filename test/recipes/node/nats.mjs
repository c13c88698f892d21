// Publishes CloudEvents to a JetStream stream of NATS, structured mode, and
// reads them back.  A message id makes the server drop what comes again.
// nats.mjs publish PORT < lines        nats.mjs read PORT > messages
import readline from 'node:readline';
import { connect, headers, AckPolicy, DeliverPolicy } from 'nats';

const [what, port] = process.argv.slice(2);
const nc = await connect({ servers: `127.0.0.1:${port}` });
const jsm = await nc.jetstreamManager();
const js = nc.jetstream();

if (what === 'publish') {
  await jsm.streams.add({ name: 'ROUTING', subjects: ['routing.>'], duplicate_window: 120e9, storage: 'memory' });
  let pending = [];
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (line === '') continue;
    const event = JSON.parse(line);
    const h = headers();
    h.set('content-type', 'application/cloudevents+json');
    // one subject per aggregate keeps its events in order
    const token = Buffer.from(event.partitionkey).toString('base64url');
    pending.push(js.publish(`routing.${event.aggregatetype}.${token}`, line, { msgID: event.id, headers: h }));
    if (pending.length === 256) { await Promise.all(pending); pending = []; }
  }
  await Promise.all(pending);
} else {
  const info = await jsm.streams.info('ROUTING');
  await jsm.consumers.add('ROUTING', { durable_name: 'reader', ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All });
  const consumer = await js.consumers.get('ROUTING', 'reader');
  let left = info.state.messages;
  const messages = left > 0 ? await consumer.consume({ max_messages: 500 }) : [];
  for await (const m of messages) {
    process.stdout.write(new TextDecoder().decode(m.data) + '\n');
    m.ack();
    if (--left === 0) break;
  }
}
await nc.drain();
