import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cloudevents.CloudEvent;
import io.cloudevents.kafka.KafkaMessageFactory;
import io.debezium.embedded.Connect;
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import java.io.FileInputStream;
import java.io.FileWriter;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.StringConverter;

/**
 * Runs the Debezium engine with the recipe's properties and converts each
 * record as a Kafka Connect worker does, with the StringConverter for keys,
 * values and headers, to what would be in Kafka.  That is read back with the
 * CloudEvents SDK.  One JSON object per message goes to the output file.
 *
 * Recipe PROPERTIES SOCKET DATABASE SLOT OFFSETS OUTPUT LAST
 *
 * Ends after the message whose key is LAST; 1 if none came in two minutes.
 */
public final class Recipe {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        try (InputStream in = new FileInputStream(args[0])) {
            p.load(in);
        }
        String socket = args[1];
        String last = args[6];
        p.setProperty("name", "recipe");
        p.setProperty("connector.class", "io.debezium.connector.postgresql.PostgresConnector");
        p.setProperty("offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore");
        p.setProperty("offset.storage.file.filename", args[4]);
        p.setProperty("offset.flush.interval.ms", "500");
        p.setProperty("topic.prefix", "routing");
        p.setProperty("slot.name", args[3]);
        p.setProperty("database.hostname", "localhost");
        p.setProperty("database.port", "5432");
        p.setProperty("database.user", "postgres");
        p.setProperty("database.password", "");
        p.setProperty("database.dbname", args[2]);
        p.setProperty("driver.socketFactory", "org.newsclub.net.unix.AFUNIXSocketFactory$FactoryArg");
        p.setProperty("driver.socketFactoryArg", socket);
        p.setProperty("driver.sslmode", "disable");

        StringConverter keys = new StringConverter();
        StringConverter values = new StringConverter();
        StringConverter headers = new StringConverter();
        keys.configure(Map.of(), true);
        values.configure(Map.of(), false);
        headers.configure(Map.of("converter.type", "header"));

        CountDownLatch done = new CountDownLatch(1);
        int[] status = {0};
        try (PrintWriter out = new PrintWriter(new FileWriter(args[5], StandardCharsets.UTF_8, true))) {
            DebeziumEngine<ChangeEvent<SourceRecord, SourceRecord>> engine = DebeziumEngine.create(Connect.class)
                .using(p)
                .using((success, message, error) -> {
                    if (!success) {
                        System.err.println(message);
                        if (error != null) {
                            error.printStackTrace();
                        }
                        status[0] = 1;
                    }
                    done.countDown();
                })
                .notifying((List<ChangeEvent<SourceRecord, SourceRecord>> batch,
                            DebeziumEngine.RecordCommitter<ChangeEvent<SourceRecord, SourceRecord>> committer) -> {
                    for (ChangeEvent<SourceRecord, SourceRecord> e : batch) {
                        ObjectNode line = message(e.value(), keys, values, headers);
                        out.println(line);
                        committer.markProcessed(e);
                        if (last.equals(line.path("key").asText())) {
                            done.countDown();
                        }
                    }
                    out.flush();
                    committer.markBatchFinished();
                })
                .build();
            ExecutorService executor = Executors.newSingleThreadExecutor();
            executor.execute(engine);
            if (!done.await(120, TimeUnit.SECONDS)) {
                System.err.println("no message with the key " + last);
                status[0] = 1;
            }
            engine.close();
            executor.shutdown();
            executor.awaitTermination(20, TimeUnit.SECONDS);
        }
        System.exit(status[0]);
    }

    private static ObjectNode message(SourceRecord r, StringConverter keys, StringConverter values,
                                      StringConverter headers) {
        byte[] key = keys.fromConnectData(r.topic(), r.keySchema(), r.key());
        byte[] value = values.fromConnectData(r.topic(), r.valueSchema(), r.value());
        RecordHeaders kafka = new RecordHeaders();
        ObjectNode line = JSON.createObjectNode();
        ObjectNode names = line.putObject("headers");

        for (Header h : r.headers()) {
            byte[] bytes = headers.fromConnectHeader(r.topic(), h.key(), h.schema(), h.value());
            if (bytes != null) {
                kafka.add(h.key(), bytes);
            }
            names.put(h.key(), bytes == null ? null : new String(bytes, StandardCharsets.UTF_8));
        }
        line.put("topic", r.topic());
        line.put("key", new String(key, StandardCharsets.UTF_8));
        line.put("value", new String(value, StandardCharsets.UTF_8));
        CloudEvent event = KafkaMessageFactory.createReader(
            new ConsumerRecord<>(r.topic(), 0, 0L, 0L, TimestampType.CREATE_TIME, 0, 0, new String(key, StandardCharsets.UTF_8),
                                 value, kafka, java.util.Optional.empty())).toEvent();
        ObjectNode ce = line.putObject("cloudevent");
        ce.put("specversion", event.getSpecVersion().toString());
        ce.put("id", event.getId());
        ce.put("source", event.getSource().toString());
        ce.put("type", event.getType());
        ce.put("time", event.getTime() == null ? null : event.getTime().toString());
        ce.put("datacontenttype", event.getDataContentType());
        for (String name : event.getExtensionNames()) {
            ce.put(name, String.valueOf(event.getExtension(name)));
        }
        ce.put("data", new String(event.getData().toBytes(), StandardCharsets.UTF_8));
        return line;
    }
}
