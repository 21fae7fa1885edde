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

import org.apache.cassandra.db.ColumnFamilyStore;
import org.apache.cassandra.db.Keyspace;
import org.apache.cassandra.io.sstable.IVerifier;
import org.apache.cassandra.io.sstable.format.SSTableReader;
import org.apache.cassandra.io.sstable.format.StatsComponent;
import org.apache.cassandra.io.sstable.metadata.MetadataType;
import org.apache.cassandra.schema.Schema;
import org.apache.cassandra.utils.OutputHandler;

/**
 * Judges SSTables that Orochi wrote. A job has
 *   check     jobs of one check stand together; each check begins with empty keyspaces
 *   gold      OUT/COMPRESSOR/PATTERN of GoldWriter: schema and answers
 *   ours      the table's directory, .../KEYSPACE/TABLE-ID
 *   gcGrace   if there: "ours" is a compaction of the gold files, compared with Cassandra's own, which forgets
 *             tombstones after so many seconds; what that leaves is dumped into "theirs"
 * Each must pass all of: sstabledump reads it (and leaves its output beside the files), import with extended
 * verification takes it, the verifier passes, every SELECT answers as for the gold files, major compaction keeps
 * the answers.
 */
final class SSTableJudge
{
    private final Jobs verdicts;

    SSTableJudge(Path verdicts)
    {
        this.verdicts = new Jobs(verdicts);
    }

    void run(Path jobs) throws IOException
    {
        String group = "";
        String keyspace = "";
        for (Map<String, Object> job : Jobs.read(jobs))
        {
            String next = keyspaceOf(job);
            if (!group.equals(job.get("check") + next))
            {
                if (!keyspace.isEmpty())
                    EmbeddedCassandra.execute("DROP KEYSPACE " + keyspace);
                group = job.get("check") + next;
                keyspace = next;
                EmbeddedCassandra.createKeyspace(keyspace);
            }
            String why = "";
            try
            {
                judge(job);
            }
            catch (Throwable e)
            {
                why = e.toString();
            }
            verdicts.conclude(job, why);
        }
        verdicts.summarize("judge");
    }

    /** The tables of the jobs, with no data, and written to disk; each one's directory goes into "directory". */
    void makeTables(Path jobs) throws IOException
    {
        for (Map<String, Object> job : Jobs.read(jobs))
        {
            EmbeddedCassandra.createKeyspace(keyspaceOf(job));
            ColumnFamilyStore store = makeTable(job);
            Files.writeString(Jobs.path(job, "directory"),
                              store.getDirectories().getDirectoryForNewSSTables().toString());
            verdicts.conclude(job, "");
        }
        for (ColumnFamilyStore store : Keyspace.open("system_schema").getColumnFamilyStores())
            EmbeddedCassandra.flush(store);
    }

    private static String keyspaceOf(Map<String, Object> job)
    {
        return Jobs.path(job, "ours").getParent().getFileName().toString();
    }

    private static ColumnFamilyStore makeTable(Map<String, Object> job) throws IOException
    {
        Path gold = Jobs.path(job, "gold");
        String table = gold.getFileName().toString();
        for (String statement : Files.readString(gold.resolve("schema.cql")).split(";\n"))
        {
            if (!statement.isBlank())
                EmbeddedCassandra.execute(statement);
        }
        if (Schema.instance.getTableMetadata(keyspaceOf(job), table) == null)
            throw new IllegalStateException("the gold schema makes no table " + table);
        return EmbeddedCassandra.table(keyspaceOf(job), table);
    }

    private void judge(Map<String, Object> job) throws IOException
    {
        Path gold = Jobs.path(job, "gold");
        Path ours = Jobs.path(job, "ours");
        boolean isCompaction = job.containsKey("gcGrace");
        for (Path file : list(ours))
        {
            if (file.toString().endsWith("-Data.db"))
                SSTableDump.write(file, Path.of(file.toString().replace("-Data.db", ".json")));
        }
        List<String> queries = new ArrayList<>();
        List<List<String>> answers = new ArrayList<>();
        for (String line : Files.readAllLines(gold.resolve("selects.jsonl")))
        {
            Map<?, ?> expected = Jobs.JSON.readValue(line, Map.class);
            if (expected.containsKey("error"))
                continue;
            queries.add((String) expected.get("query"));
            @SuppressWarnings("unchecked")
            List<String> rows = (List<String>) expected.get("rows");
            answers.add(rows);
        }

        ColumnFamilyStore store = makeTable(job);
        if (isCompaction)
        {
            answers = compactGold(job, store, queries);
            store.truncateBlocking();
        }
        if (!isCompaction || !list(ours).isEmpty())
            importInto(store, ours);
        verify(store);
        compareSelects(queries, answers, "imported");
        store.forceMajorCompaction();
        compareSelects(queries, answers, "after major compaction");
    }

    private static void importInto(ColumnFamilyStore store, Path directory)
    {
        List<String> refused = store.importNewSSTables(Set.of(directory.toString()), false, false, true, true, true,
                                                       true, true);
        if (!refused.isEmpty())
            throw new IllegalStateException("import refused " + refused);
        if (store.getLiveSSTables().isEmpty())
            throw new IllegalStateException("import took no SSTable");
    }

    /** Cassandra's own major compaction of the gold files: keeps its dump, returns the answers over it. */
    private static List<List<String>> compactGold(Map<String, Object> job, ColumnFamilyStore store,
                                                  List<String> queries) throws IOException
    {
        EmbeddedCassandra.execute("ALTER TABLE " + store.keyspace.getName() + "." + store.name
                                  + " WITH gc_grace_seconds = " + job.get("gcGrace"));
        Path directory = Jobs.path(job, "ours").getParent().getFileName();
        importInto(store, list(Jobs.path(job, "gold").resolve(directory)).get(0));
        store.forceMajorCompaction();
        Path theirs = Jobs.path(job, "theirs");
        Files.createDirectories(theirs);
        int number = 0;
        for (SSTableReader sstable : store.getLiveSSTables())
            SSTableDump.write(sstable, theirs.resolve(++number + ".json"));
        return queries.stream().map(EmbeddedCassandra::selectJson).collect(Collectors.toList());
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

    private static void compareSelects(List<String> queries, List<List<String>> answers, String when)
    {
        for (int index = 0; index < queries.size(); ++index)
        {
            List<String> rows = EmbeddedCassandra.selectJson(queries.get(index));
            if (!rows.equals(answers.get(index)))
                throw new IllegalStateException(when + ": " + queries.get(index) + " answers " + abbreviate(rows)
                                                + ", expected " + abbreviate(answers.get(index)));
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
