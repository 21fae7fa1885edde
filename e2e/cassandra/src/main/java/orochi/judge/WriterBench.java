package orochi.judge;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

import com.sun.management.OperatingSystemMXBean;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.dht.Murmur3Partitioner;
import org.apache.cassandra.io.sstable.CQLSSTableWriter;

/**
 * CQLSSTableWriter's speed: the rows of sstable_writer_bench, keys in token order, which is its fastest way. Written
 * once before it counts, so that the code is compiled. Prints rows, seconds and seconds of processor time.
 */
final class WriterBench
{
    private static final String TABLE =
        "CREATE TABLE bench.rows (k bigint, c bigint, n bigint, t text, PRIMARY KEY (k, c)) WITH compression = "
        + "{'class': 'LZ4Compressor', 'chunk_length_in_kb': 16}";
    private static final String INSERT =
        "INSERT INTO bench.rows (k, c, n, t) VALUES (?, ?, ?, ?) USING TIMESTAMP 1700000000000000";

    private WriterBench()
    {
    }

    /** DIRECTORY ROWS ROWS_PER_PARTITION */
    static int run(List<String> arguments) throws Exception
    {
        DatabaseDescriptor.toolInitialization();
        Path directory = Path.of(arguments.get(0));
        int rows = Integer.parseInt(arguments.get(1));
        int rowsPerPartition = Integer.parseInt(arguments.get(2));
        List<Long> keys = LongStream.range(0, rows / rowsPerPartition).boxed()
                                    .sorted(Comparator.comparing(WriterBench::tokenOf)).collect(Collectors.toList());
        write(directory.resolve("bench/before"), keys, rowsPerPartition);
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long start = System.nanoTime();
        long cpuStart = system.getProcessCpuTime();
        write(directory.resolve("bench/rows"), keys, rowsPerPartition);
        double cpuSeconds = (system.getProcessCpuTime() - cpuStart) / 1e9;
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf("writer rows=%d seconds=%.3f cpu_seconds=%.3f%n", keys.size() * (long) rowsPerPartition,
                          seconds, cpuSeconds);
        return 0;
    }

    private static long tokenOf(Long key)
    {
        ByteBuffer bytes = ByteBuffer.allocate(8);
        bytes.putLong(0, key);
        return (Long) Murmur3Partitioner.instance.getToken(bytes).getTokenValue();
    }

    private static void write(Path directory, List<Long> keys, int rowsPerPartition) throws Exception
    {
        Files.createDirectories(directory);
        Random random = new Random(1);
        try (CQLSSTableWriter writer = CQLSSTableWriter.builder().inDirectory(directory.toString()).forTable(TABLE)
                                                       .using(INSERT).sorted().build())
        {
            for (Long key : keys)
            {
                for (long row = 0; row < rowsPerPartition; ++row)
                    writer.addRow(key, row, (long) random.nextInt(100000), "a value of row " + random.nextInt(1000));
            }
        }
    }
}
