// What @asyncapi/parser has to say against a document, and ajv, which comes with
// it, against the examples of its messages; an error or warning per line.
//	node asyncapi.cjs DIRECTORY_WITH_NODE_MODULES FILE
const fs = require('fs');
const path = require('path');
const [directory, file] = process.argv.slice(2);
const load = (name) => require(path.join(directory, 'node_modules', name));
const { Parser } = load('@asyncapi/parser');
const Ajv = load('ajv').default;

(async () => {
	const { document, diagnostics } = await new Parser().parse(fs.readFileSync(file, 'utf8'));
	for (const d of diagnostics.filter((d) => d.severity <= 1))
		console.log(`${d.code} at ${d.path.join('.')}: ${d.message}`);
	if (document === undefined)
		return console.log('no document');

	// formats only describe
	const ajv = new Ajv({ strict: false, validateFormats: false });
	const messages = document.components().messages().all();
	for (const m of messages) {
		const valid = ajv.compile(m.payload().json());
		for (const example of m.examples().all())
			if (!valid(example.payload()))
				console.log(`${m.id()}: example: ${ajv.errorsText(valid.errors)}`);
	}
	console.error(`# ${document.allChannels().length} channels, ${document.allOperations().length} operations, ` +
		`${messages.length} messages`);
})().catch((error) => console.log(error.stack));
