package orochi.judge;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * What is to be done, a JSON object a line, and what came of it: {"id": ..., "why": ""}, where an empty "why"
 * means that it passed. A verdict is on disk before the next job begins, so those of a run that ends early count.
 */
final class Jobs
{
    static final ObjectMapper JSON = new ObjectMapper();

    private final Path verdicts;
    private int judged;
    private int failed;

    Jobs(Path verdicts)
    {
        this.verdicts = verdicts;
    }

    static List<Map<String, Object>> read(Path file) throws IOException
    {
        List<Map<String, Object>> jobs = new ArrayList<>();
        for (String line : Files.readAllLines(file))
        {
            @SuppressWarnings("unchecked")
            Map<String, Object> job = JSON.readValue(line, Map.class);
            jobs.add(job);
        }
        return jobs;
    }

    static Path path(Map<String, Object> job, String field)
    {
        return Path.of((String) job.get(field));
    }

    /** Keeps what came of a job; `why` is empty if it passed. */
    void conclude(Map<String, Object> job, String why) throws IOException
    {
        ++judged;
        failed += why.isEmpty() ? 0 : 1;
        Map<String, Object> verdict = new LinkedHashMap<>();
        verdict.put("id", job.get("id"));
        verdict.put("why", why);
        try (Writer out = Files.newBufferedWriter(verdicts, StandardOpenOption.CREATE, StandardOpenOption.APPEND))
        {
            out.write(JSON.writeValueAsString(verdict) + "\n");
        }
    }

    void summarize(String what)
    {
        System.err.println(what + ": " + (judged - failed) + " of " + judged + " pass");
    }
}
