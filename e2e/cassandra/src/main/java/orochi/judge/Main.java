package orochi.judge;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** gold PATTERNS OUT COMPRESSOR...  |  judge GOLD OURS */
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
        EmbeddedCassandra.start();
        switch (command)
        {
            case "gold":
                return new GoldWriter(Path.of(arguments.get(0)), Path.of(arguments.get(1)))
                           .run(arguments.subList(2, arguments.size())) == 0 ? 0 : 1;
            case "judge":
                return new SSTableJudge(Path.of(arguments.get(0)), Path.of(arguments.get(1))).run() == 0 ? 0 : 1;
            default:
                throw new IllegalArgumentException("unknown command " + command);
        }
    }
}
