package orochi.judge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.cassandra.db.ColumnFamilyStore;
import org.apache.cassandra.io.sstable.IVerifier;
import org.apache.cassandra.io.sstable.format.SSTableReader;
import org.apache.cassandra.io.sstable.format.StatsComponent;
import org.apache.cassandra.io.sstable.metadata.MetadataType;
import org.apache.cassandra.schema.Schema;
import org.apache.cassandra.utils.OutputHandler;

/**
 * Judges SSTables that Orochi wrote: OURS/COMPRESSOR/PATTERN/KEYSPACE/TABLE-ID/, beside the gold tree of the
 * same shape. Each pattern must pass all of: sstabledump reads it, import with extended verification takes it,
 * the verifier passes, every SELECT answers as for the gold files, major compaction keeps the answers.
 */
final class SSTableJudge
{
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path gold;
    private final Path ours;
    private final List<String> failures = new ArrayList<>();

    SSTableJudge(Path gold, Path ours)
    {
        this.gold = gold;
        this.ours = ours;
    }

    /** Returns the number of patterns that failed. */
    int run() throws IOException
    {
        int judged = 0;
        for (Path compressor : list(ours))
        {
            String keyspace = "gold_" + compressor.getFileName();
            EmbeddedCassandra.createKeyspace(keyspace);
            for (Path pattern : list(compressor))
            {
                ++judged;
                try
                {
                    judge(pattern, gold.resolve(ours.relativize(pattern)), keyspace);
                }
                catch (Throwable e)
                {
                    fail(pattern, e.toString());
                }
            }
            EmbeddedCassandra.execute("DROP KEYSPACE " + keyspace);
        }
        System.err.println("judge: " + (judged - failures.size()) + " of " + judged + " patterns pass");
        failures.forEach(f -> System.err.println("FAILED " + f));
        return failures.size();
    }

    private void fail(Path pattern, String why)
    {
        failures.add(ours.relativize(pattern) + ": " + why);
    }

    private void judge(Path pattern, Path goldPattern, String keyspace) throws IOException
    {
        Path tableDirectory = list(pattern.resolve(keyspace)).get(0);
        String table = pattern.getFileName().toString();
        for (Path file : list(tableDirectory))
        {
            if (file.toString().endsWith("-Data.db"))
                SSTableDump.write(file, Path.of(file.toString().replace("-Data.db", ".json")));
        }

        for (String statement : Files.readString(goldPattern.resolve("schema.cql")).split(";\n"))
        {
            if (!statement.isBlank())
                EmbeddedCassandra.execute(statement);
        }
        if (Schema.instance.getTableMetadata(keyspace, table) == null)
            throw new IllegalStateException("the gold schema makes no table " + table);
        ColumnFamilyStore store = EmbeddedCassandra.table(keyspace, table);
        List<String> refused = store.importNewSSTables(Set.of(tableDirectory.toString()), false, false, true, true,
                                                       true, true, true);
        if (!refused.isEmpty())
            throw new IllegalStateException("import refused " + refused);
        if (store.getLiveSSTables().isEmpty())
            throw new IllegalStateException("import took no SSTable");

        verify(store);
        compareSelects(goldPattern, "imported");
        store.forceMajorCompaction();
        compareSelects(goldPattern, "after major compaction");
    }

    private static void verify(ColumnFamilyStore store) throws IOException
    {
        IVerifier.Options options = IVerifier.options().invokeDiskFailurePolicy(false).extendedVerification(true).build();
        for (SSTableReader sstable : store.getLiveSSTables())
        {
            try (IVerifier verifier = sstable.getVerifier(store, new OutputHandler.LogOutput(), true, options))
            {
                verifier.verify();
            }
            checkKeyEstimate(sstable);
        }
    }

    /** The sketch of the keys, by which Cassandra sizes what a compaction writes. */
    private static void checkKeyEstimate(SSTableReader sstable) throws IOException
    {
        long estimate = StatsComponent.load(sstable.descriptor, MetadataType.COMPACTION)
                                      .compactionMetadata().cardinalityEstimator.cardinality();
        long keys = sstable.getEstimatedPartitionSize().count();
        if (Math.abs(estimate - keys) > 1 + keys / 20)
            throw new IllegalStateException("the key sketch tells " + estimate + " of " + keys + " partitions");
    }

    private static void compareSelects(Path goldPattern, String when) throws IOException
    {
        for (String line : Files.readAllLines(goldPattern.resolve("selects.jsonl")))
        {
            Map<?, ?> expected = JSON.readValue(line, Map.class);
            String query = (String) expected.get("query");
            List<String> rows = EmbeddedCassandra.selectJson(query);
            if (!rows.equals(expected.get("rows")))
                throw new IllegalStateException(when + ": " + query + " answers " + abbreviate(rows) + ", expected "
                                                + abbreviate((List<?>) expected.get("rows")));
        }
    }

    private static String abbreviate(List<?> rows)
    {
        String text = rows.size() + " rows " + rows;
        return text.length() > 600 ? text.substring(0, 600) + "..." : text;
    }

    private static List<Path> list(Path directory) throws IOException
    {
        if (!Files.isDirectory(directory))
            return Collections.emptyList();
        try (Stream<Path> listed = Files.list(directory))
        {
            return listed.sorted().collect(Collectors.toList());
        }
    }
}
