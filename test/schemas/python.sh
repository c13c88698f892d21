# Sourced: sets PYTHON to an interpreter that has jsonschema, or to nothing.
PYTHON=
for candidate in python3 /usr/bin/python3; do
	if [ -z "$PYTHON" ] && "$candidate" -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null; then
		PYTHON=$candidate
	fi
done
