package orochi.judge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One file of patterns.py: statements and directives for one table. */
final class Pattern
{
    final String name;
    private final List<String> lines;

    private Pattern(String name, List<String> lines)
    {
        this.name = name;
        this.lines = lines;
    }

    static List<Pattern> readAll(Path directory) throws IOException
    {
        List<Path> files;
        try (Stream<Path> listed = Files.list(directory))
        {
            files = listed.filter(p -> p.toString().endsWith(".cql")).sorted().collect(Collectors.toList());
        }
        List<Pattern> patterns = new ArrayList<>();
        for (Path file : files)
        {
            String name = file.getFileName().toString().replace(".cql", "");
            patterns.add(new Pattern(name, joinStatements(Files.readAllLines(file))));
        }
        return patterns;
    }

    /** Statements may span lines; directives are one line. */
    private static List<String> joinStatements(List<String> raw)
    {
        List<String> joined = new ArrayList<>();
        StringBuilder open = new StringBuilder();
        for (String line : raw)
        {
            if (open.length() == 0 && line.startsWith("--"))
            {
                joined.add(line);
                continue;
            }
            open.append(open.length() == 0 ? "" : "\n").append(line);
            if (line.endsWith(";"))
            {
                joined.add(open.substring(0, open.length() - 1));
                open.setLength(0);
            }
        }
        return joined;
    }

    /** Everything but selects, in order; "--flush" stands for itself. */
    List<String> steps(String keyspace, String tableOptions)
    {
        return lines.stream()
                    .filter(l -> !l.startsWith("--select ") && !l.startsWith("--ask "))
                    .map(l -> l.replace("$KS", keyspace).replace("$WITH", tableOptions))
                    .collect(Collectors.toList());
    }

    static boolean isSchemaChange(String step)
    {
        return step.startsWith("CREATE ") || step.startsWith("ALTER ");
    }

    /** SELECT statements whose answers are kept; the first reads the whole table. */
    List<String> selects(String keyspace)
    {
        List<String> selects = new ArrayList<>();
        selects.add("SELECT JSON * FROM " + keyspace + "." + name);
        directives("--select ", keyspace).forEach(l -> selects.add("SELECT JSON * FROM " + keyspace + "." + name + " " + l));
        return selects;
    }

    /** SELECT statements whose answers, or errors, are kept. */
    List<String> asks(String keyspace)
    {
        return directives("--ask ", keyspace);
    }

    private List<String> directives(String start, String keyspace)
    {
        return lines.stream()
                    .filter(l -> l.startsWith(start))
                    .map(l -> l.substring(start.length()).replace("$KS", keyspace))
                    .collect(Collectors.toList());
    }
}
