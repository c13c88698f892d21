#!/usr/bin/env bash
# A consumer by SQL: takes a batch, writes it down, confirms it; again until a
# batch is empty after STOP is there.
#
#   sql_consumer.sh NAME OUTPUT STOP
set -eu
name=$1 output=$2 stop=$3
touch "$output"
while :; do
	stopping=no
	if [ -e "$stop" ]; then stopping=yes; fi
	batch=$(psql -XAtq -F '	' -v ON_ERROR_STOP=1 -c "SELECT batch_id, id, aggregatetype, aggregateid, aggregateversion FROM routing.consumer_next('$name', 500)")
	if [ -z "$batch" ]; then
		if [ $stopping = yes ]; then exit 0; fi
		sleep 0.2
		continue
	fi
	cut -f2- <<<"$batch" >>"$output"
	psql -XAtq -v ON_ERROR_STOP=1 -c "SELECT routing.consumer_ack('$name', $(head -n 1 <<<"$batch" | cut -f1))" >/dev/null
done
