// The client pg-logical-replication with pgoutput: rows of the event table.
// pgoutput.mjs SLOT OUTPUT LAST: ends with the transaction that has the aggregate LAST.
import fs from 'node:fs';
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';

const [slot, output, last] = process.argv.slice(2);
const out = fs.openSync(output, 'a');
const service = new LogicalReplicationService(
  { host: process.env.PGHOST, port: Number(process.env.PGPORT), user: process.env.PGUSER, database: process.env.PGDATABASE },
  { acknowledge: { auto: false, timeoutSeconds: 0 } });
let ended = false;
let lines = '';

service.on('error', (error) => { console.error(error); process.exit(1); });
service.on('heartbeat', (lsn, timestamp, shouldRespond) => { if (shouldRespond && lines === '') service.acknowledge(lsn); });
service.on('data', async (lsn, message) => {
  if (message.tag === 'insert' && message.relation.name === 'event') {
    const row = message.new;
    lines += [row.id, row.aggregatetype, row.aggregateid, row.aggregateversion].join('\t') + '\n';
    ended = ended || row.aggregateid === last;
  } else if (message.tag === 'commit') {
    // stored first, then confirmed, a whole transaction at a time
    fs.writeSync(out, lines);
    lines = '';
    await service.acknowledge(message.commitEndLsn ?? lsn);
    if (ended) process.exit(0);
  }
});
service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: ['routing_events'] }), slot)
  .catch((error) => { console.error(error); process.exit(1); });
