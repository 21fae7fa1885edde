package orochi.judge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.apache.cassandra.db.ColumnFamilyStore;
import org.apache.cassandra.io.sstable.CQLSSTableWriter;

/**
 * The statements of a pattern written by CQLSSTableWriter, an SSTable each, since it takes one statement and many
 * values: here the only value is the timestamp. Left out are patterns of many statements, those whose statements
 * have no timestamp (counters) or do not fit the final schema, and what CQLSSTableWriter refuses.
 */
final class CqlWriterGold
{
    private static final int STATEMENTS_MAX = 40;
    private static final Pattern TIMESTAMP = Pattern.compile("USING TIMESTAMP (-?\\d+)");

    private CqlWriterGold()
    {
    }

    /** Returns 1 if the pattern's SSTables are in `directory`/cqlsstablewriter, else 0. */
    static int write(orochi.judge.Pattern pattern, String keyspace, String options, Path directory) throws IOException
    {
        List<String> steps = pattern.steps(keyspace, options);
        List<String> changes = steps.stream().filter(s -> !orochi.judge.Pattern.isSchemaChange(s) && !s.equals("--flush"))
                                    .collect(Collectors.toList());
        if (changes.size() > STATEMENTS_MAX || steps.stream().anyMatch(s -> s.startsWith("ALTER "))
            || !changes.stream().allMatch(s -> TIMESTAMP.matcher(s).find()))
            return 0;
        String create = steps.stream().filter(s -> s.startsWith("CREATE TABLE ")).findFirst().orElseThrow();
        ColumnFamilyStore store = EmbeddedCassandra.table(keyspace, pattern.name);
        Path root = directory.resolve("cqlsstablewriter");
        Path out = root.resolve(keyspace).resolve(store.getDirectories().getDirectoryForNewSSTables().toPath().getFileName());
        Files.createDirectories(out);
        try
        {
            for (String change : changes)
                writeOne(create, change, out);
        }
        catch (RuntimeException e)
        {
            GoldWriter.removeTree(root);
            return 0;
        }
        return 1;
    }

    /** What sstabledump says of each SSTable, beside it. */
    static void dump(Path directory) throws IOException
    {
        Path root = directory.resolve("cqlsstablewriter");
        if (!Files.exists(root))
            return;
        List<Path> files;
        try (Stream<Path> listed = Files.walk(root))
        {
            files = listed.filter(p -> p.toString().endsWith("-Data.db")).collect(Collectors.toList());
        }
        for (Path file : files)
            SSTableDump.write(file, Path.of(file.toString().replace("-Data.db", ".json")));
    }

    private static void writeOne(String create, String change, Path out) throws IOException
    {
        Matcher timestamp = TIMESTAMP.matcher(change);
        if (!timestamp.find())
            throw new IllegalArgumentException(change);
        try (CQLSSTableWriter writer = CQLSSTableWriter.builder().inDirectory(out.toString()).forTable(create)
                                                       .using(timestamp.replaceFirst("USING TIMESTAMP ?")).build())
        {
            writer.addRow(Long.parseLong(timestamp.group(1)));
        }
    }
}
