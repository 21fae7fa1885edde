package orochi.judge;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * gold PATTERNS OUT COMPRESSOR...      PATTERNS/COMPRESSOR/*.cql written by a node, and by CQLSSTableWriter
 * judge JOBS VERDICTS                  SSTables of others judged by a node
 * tables JOBS VERDICTS                 makes the tables that StandaloneVerifier looks for
 * PROGRAM JOBS VERDICTS                runs a program of org.apache.cassandra.tools
 * write ..., scan ..., lookup ...      speed, see WriterBench and ReaderBench
 */
public final class Main
{
    private Main()
    {
    }

    public static void main(String[] args)
    {
        int status = 2;
        try
        {
            status = run(args[0], Arrays.asList(args).subList(1, args.length));
        }
        catch (Throwable e)
        {
            e.printStackTrace();
        }
        // Cassandra leaves threads running.
        Runtime.getRuntime().halt(status);
    }

    private static int run(String command, List<String> arguments) throws Exception
    {
        switch (command)
        {
            case "gold":
                EmbeddedCassandra.start();
                return new GoldWriter(Path.of(arguments.get(0)), Path.of(arguments.get(1)))
                           .run(arguments.subList(2, arguments.size())) == 0 ? 0 : 1;
            case "judge":
                EmbeddedCassandra.start();
                new SSTableJudge(Path.of(arguments.get(1))).run(Path.of(arguments.get(0)));
                return 0;
            case "tables":
                EmbeddedCassandra.start();
                new SSTableJudge(Path.of(arguments.get(1))).makeTables(Path.of(arguments.get(0)));
                return 0;
            case "write":
                return WriterBench.run(arguments);
            case "scan":
            case "lookup":
                return ReaderBench.run(command, arguments);
            default:
                new Programs(command, Path.of(arguments.get(1))).run(Path.of(arguments.get(0)));
                return 0;
        }
    }
}
