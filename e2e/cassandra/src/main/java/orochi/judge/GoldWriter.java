package orochi.judge;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.util.concurrent.Uninterruptibles;
import org.apache.cassandra.db.ColumnFamilyStore;
import org.apache.cassandra.io.sstable.Component;
import org.apache.cassandra.io.sstable.format.SSTableReader;

/**
 * Lets Cassandra write every pattern with every compressor, and keeps the files with what Cassandra says
 * is in them: OUT/COMPRESSOR/PATTERN/{schema.cql, selects.jsonl, KEYSPACE/TABLE-ID/{components, *.json}}, and in
 * OUT/COMPRESSOR/PATTERN/cqlsstablewriter/KEYSPACE/TABLE-ID the same statements by CQLSSTableWriter, where it can.
 * The last file of a pattern is pattern.cql, a copy of its source: without it the rest is not complete.
 */
final class GoldWriter
{
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path out;
    private final Path patternsDirectory;

    GoldWriter(Path patternsDirectory, Path out)
    {
        this.out = out;
        this.patternsDirectory = patternsDirectory;
    }

    /** Returns the number of patterns that Cassandra did not take. */
    int run(List<String> compressors) throws IOException
    {
        int failures = 0;
        for (String compressor : compressors)
        {
            String keyspace = "gold_" + compressor;
            EmbeddedCassandra.createKeyspace(keyspace);
            List<Pattern> filled = new ArrayList<>();
            int byClientLibrary = 0;
            for (Pattern pattern : Pattern.readAll(patternsDirectory.resolve(compressor)))
            {
                try
                {
                    fill(pattern, keyspace, compressor);
                    removeTree(directoryOf(compressor, pattern));
                    byClientLibrary += CqlWriterGold.write(pattern, keyspace, tableOptions(compressor),
                                                           directoryOf(compressor, pattern));
                    filled.add(pattern);
                }
                catch (IOException | RuntimeException e)
                {
                    System.err.println("gold: " + pattern.name + ": " + e);
                    ++failures;
                }
            }
            awaitExpiry();
            int files = 0;
            for (Pattern pattern : filled)
            {
                try
                {
                    files += keep(pattern, keyspace, compressor);
                    CqlWriterGold.dump(directoryOf(compressor, pattern));
                    Files.copy(patternsDirectory.resolve(compressor).resolve(pattern.name + ".cql"),
                               directoryOf(compressor, pattern).resolve("pattern.cql"));
                }
                catch (IOException | RuntimeException e)
                {
                    System.err.println("gold: " + pattern.name + ": " + e);
                    ++failures;
                }
            }
            System.err.println("gold: " + compressor + ": " + filled.size() + " tables, " + files + " SSTables, "
                               + byClientLibrary + " tables by CQLSSTableWriter");
            EmbeddedCassandra.execute("DROP KEYSPACE " + keyspace);
        }
        return failures;
    }

    /** Patterns have cells with a TTL of one second, which are to be dumped as expired. */
    private static void awaitExpiry()
    {
        Uninterruptibles.sleepUninterruptibly(2500, TimeUnit.MILLISECONDS);
    }

    private Path directoryOf(String compressor, Pattern pattern)
    {
        return out.resolve(compressor).resolve(pattern.name);
    }

    private static String tableOptions(String compressor)
    {
        if (compressor.equals("none"))
            return "compression = {'enabled': false}";
        String name = Character.toUpperCase(compressor.charAt(0)) + compressor.substring(1);
        if (name.equals("Lz4"))
            name = "LZ4";
        return "compression = {'class': '" + name + "Compressor', 'chunk_length_in_kb': 16}";
    }

    private void fill(Pattern pattern, String keyspace, String compressor)
    {
        for (String step : pattern.steps(keyspace, tableOptions(compressor)))
        {
            if (step.equals("--flush"))
                EmbeddedCassandra.flush(EmbeddedCassandra.table(keyspace, pattern.name));
            else
                EmbeddedCassandra.execute(step);
        }
        EmbeddedCassandra.flush(EmbeddedCassandra.table(keyspace, pattern.name));
    }

    private int keep(Pattern pattern, String keyspace, String compressor) throws IOException
    {
        Path directory = directoryOf(compressor, pattern);
        Files.createDirectories(directory);

        List<String> schema = pattern.steps(keyspace, tableOptions(compressor)).stream()
                                     .filter(Pattern::isSchemaChange)
                                     .map(s -> s + ";")
                                     .collect(Collectors.toList());
        Files.write(directory.resolve("schema.cql"), schema);

        List<String> answers = new ArrayList<>();
        for (String select : pattern.selects(keyspace))
            answers.add(JSON.writeValueAsString(Map.of("query", select, "rows", EmbeddedCassandra.selectJson(select))));
        for (String ask : pattern.asks(keyspace))
        {
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("query", ask);
            try
            {
                answer.put("rows", EmbeddedCassandra.selectJson(ask));
            }
            catch (EmbeddedCassandra.Refused e)
            {
                answer.put("error", e.getMessage());
            }
            answers.add(JSON.writeValueAsString(answer));
        }
        Files.write(directory.resolve("selects.jsonl"), answers);

        ColumnFamilyStore store = EmbeddedCassandra.table(keyspace, pattern.name);
        Set<SSTableReader> sstables = store.getLiveSSTables();
        for (SSTableReader sstable : sstables)
        {
            Path source = sstable.descriptor.directory.toPath();
            Path target = directory.resolve(keyspace).resolve(source.getFileName());
            Files.createDirectories(target);
            copyComponents(sstable, target);
            String data = sstable.descriptor.fileFor(sstable.descriptor.getFormat().allComponents().stream()
                                                            .filter(c -> c.name.equals("Data.db"))
                                                            .findFirst().orElseThrow()).name();
            SSTableDump.write(target.resolve(data), target.resolve(data.replace("-Data.db", ".json")));
            // Opening the copy without the table's schema may have replaced its summary.
            copyComponents(sstable, target);
        }
        return sstables.size();
    }

    private static void copyComponents(SSTableReader sstable, Path target) throws IOException
    {
        for (Component component : sstable.getComponents())
        {
            Path file = sstable.descriptor.fileFor(component).toPath();
            if (Files.exists(file))
                Files.copy(file, target.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    static void removeTree(Path root) throws IOException
    {
        if (!Files.exists(root))
            return;
        Files.walkFileTree(root, new SimpleFileVisitor<Path>()
        {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException
            {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException error) throws IOException
            {
                Files.delete(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
