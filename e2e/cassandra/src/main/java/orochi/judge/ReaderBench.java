package orochi.judge;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import com.sun.management.OperatingSystemMXBean;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.db.Slices;
import org.apache.cassandra.db.filter.ColumnFilter;
import org.apache.cassandra.db.rows.Cell;
import org.apache.cassandra.db.rows.ColumnData;
import org.apache.cassandra.db.rows.Row;
import org.apache.cassandra.db.rows.Unfiltered;
import org.apache.cassandra.db.rows.UnfilteredRowIterator;
import org.apache.cassandra.io.sstable.Descriptor;
import org.apache.cassandra.io.sstable.ISSTableScanner;
import org.apache.cassandra.io.sstable.SSTableReadsListener;
import org.apache.cassandra.io.sstable.format.SSTableReader;
import org.apache.cassandra.io.util.File;
import org.apache.cassandra.schema.TableMetadata;
import org.apache.cassandra.schema.TableMetadataRef;
import org.apache.cassandra.tools.Util;

/** The speed of Cassandra's own reader, without a node around it. The first round is not counted. */
final class ReaderBench
{
    private static final OperatingSystemMXBean SYSTEM =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static long sink;

    private ReaderBench()
    {
    }

    /** scan DATA_FILE ROUNDS | lookup DATA_FILE COUNT; keys of lookups are bigints from 0 on. */
    static int run(String what, List<String> arguments) throws Exception
    {
        DatabaseDescriptor.toolInitialization();
        Descriptor descriptor = Descriptor.fromFileWithComponent(new File(arguments.get(0)), false).left;
        TableMetadata metadata = Util.metadataFromSSTable(descriptor);
        int count = Integer.parseInt(arguments.get(1));
        SSTableReader reader = SSTableReader.open(null, descriptor, TableMetadataRef.forOfflineTools(metadata));
        if (what.equals("scan"))
        {
            for (int round = 0; round <= count; ++round)
                scan(reader, round > 0);
        }
        else
        {
            lookups(reader, metadata, count, false);
            lookups(reader, metadata, count, true);
        }
        reader.selfRef().close();
        return 0;
    }

    private static void scan(SSTableReader reader, boolean isCounted)
    {
        long rows = 0;
        long cpuStart = SYSTEM.getProcessCpuTime();
        long start = System.nanoTime();
        try (ISSTableScanner scanner = reader.getScanner())
        {
            while (scanner.hasNext())
            {
                try (UnfilteredRowIterator partition = scanner.next())
                {
                    rows += drain(partition);
                }
            }
        }
        if (isCounted)
            System.out.printf("scan rows=%d seconds=%.3f cpu_seconds=%.3f%n", rows, (System.nanoTime() - start) / 1e9,
                              (SYSTEM.getProcessCpuTime() - cpuStart) / 1e9);
    }

    /** Touches every cell; returns the number of rows. */
    private static long drain(UnfilteredRowIterator partition)
    {
        long rows = 0;
        while (partition.hasNext())
        {
            Unfiltered unfiltered = partition.next();
            if (!unfiltered.isRow())
                continue;
            ++rows;
            for (ColumnData data : (Row) unfiltered)
                sink += data instanceof Cell ? ((Cell<?>) data).valueSize() : 1;
        }
        return rows;
    }

    private static void lookups(SSTableReader reader, TableMetadata metadata, int count, boolean isCounted)
    {
        long keys = reader.estimatedKeys();
        Random random = new Random(2);
        double[] micros = new double[count];
        int found = 0;
        for (int number = 0; number < count; ++number)
        {
            ByteBuffer key = ByteBuffer.allocate(8);
            key.putLong(0, (long) (random.nextDouble() * keys * 0.95));
            long start = System.nanoTime();
            try (UnfilteredRowIterator partition =
                     reader.rowIterator(metadata.partitioner.decorateKey(key), Slices.ALL, ColumnFilter.all(metadata),
                                        false, SSTableReadsListener.NOOP_LISTENER))
            {
                found += drain(partition) > 0 ? 1 : 0;
            }
            micros[number] = (System.nanoTime() - start) / 1e3;
        }
        Arrays.sort(micros);
        if (found != count)
            throw new IllegalStateException(found + " of " + count + " keys are found");
        if (isCounted)
            System.out.printf("lookup median_us=%.1f p99_us=%.1f%n", micros[count / 2], micros[count * 99 / 100]);
    }
}
