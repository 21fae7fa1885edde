package orochi.judge;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

import org.apache.cassandra.io.sstable.Descriptor;
import org.apache.cassandra.io.sstable.ISSTableScanner;
import org.apache.cassandra.io.sstable.format.SSTableReader;
import org.apache.cassandra.io.util.File;
import org.apache.cassandra.schema.TableMetadata;
import org.apache.cassandra.schema.TableMetadataRef;
import org.apache.cassandra.tools.JsonTransformer;
import org.apache.cassandra.tools.Util;

/** What sstabledump does, without a process for each file: the schema comes from Statistics.db. */
final class SSTableDump
{
    private SSTableDump()
    {
    }

    static void write(Path dataFile, Path json) throws IOException
    {
        Descriptor descriptor = Descriptor.fromFileWithComponent(new File(dataFile), false).left;
        TableMetadata metadata = Util.metadataFromSSTable(descriptor);
        SSTableReader reader =
            SSTableReader.openNoValidation(null, descriptor, TableMetadataRef.forOfflineTools(metadata));
        try
        {
            write(reader, metadata, json);
        }
        finally
        {
            reader.selfRef().close();
        }
    }

    /** Of an SSTable of a table that the node has. */
    static void write(SSTableReader reader, Path json) throws IOException
    {
        write(reader, Util.metadataFromSSTable(reader.descriptor), json);
    }

    private static void write(SSTableReader reader, TableMetadata metadata, Path json) throws IOException
    {
        try (ISSTableScanner scanner = reader.getScanner();
             OutputStream out = new BufferedOutputStream(Files.newOutputStream(json)))
        {
            JsonTransformer.toJson(scanner, Util.iterToStream(scanner), false, metadata, out);
        }
    }
}
