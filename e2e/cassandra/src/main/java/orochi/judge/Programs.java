package orochi.judge;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.Permission;
import java.util.List;
import java.util.Map;

/**
 * Runs one of Cassandra's command line programs, as its main function, many times in one process: starting a
 * process for each of thousands of files would take hours. Each call's output goes into the job's file "out", or into
 * "out".part if it did not pass.
 */
final class Programs
{
    /** Thrown where a program would end the process; an Error, since programs catch exceptions. */
    private static final class Exit extends Error
    {
        private static final long serialVersionUID = 1;
    }

    @SuppressWarnings("removal")
    private static final class ExitTrap extends SecurityManager
    {
        private Integer code;

        @Override
        public void checkExit(int status)
        {
            // A program whose handler of errors catches this one asks to exit again: the first word counts.
            if (code == null)
                code = status;
            throw new Exit();
        }

        @Override
        public void checkPermission(Permission permission)
        {
        }

        @Override
        public void checkPermission(Permission permission, Object context)
        {
        }
    }

    private final Method main;
    private final Jobs verdicts;

    Programs(String program, Path verdicts) throws ReflectiveOperationException
    {
        this.main = Class.forName("org.apache.cassandra.tools." + program).getMethod("main", String[].class);
        this.verdicts = new Jobs(verdicts);
    }

    void run(Path jobs) throws IOException
    {
        for (Map<String, Object> job : Jobs.read(jobs))
            verdicts.conclude(job, runOne(job));
        verdicts.summarize(main.getDeclaringClass().getSimpleName());
    }

    @SuppressWarnings("removal")
    private String runOne(Map<String, Object> job) throws IOException
    {
        PrintStream stdout = System.out;
        PrintStream stderr = System.err;
        SecurityManager before = System.getSecurityManager();
        ExitTrap trap = new ExitTrap();
        Path out = Jobs.path(job, "out");
        Path part = Path.of(out + ".part");
        Files.createDirectories(out.getParent());
        Throwable thrown = null;
        try (PrintStream captured = new PrintStream(Files.newOutputStream(part)))
        {
            System.setSecurityManager(trap);
            System.setOut(captured);
            System.setErr(captured);
            main.invoke(null, (Object) ((List<?>) job.get("arguments")).toArray(new String[0]));
        }
        catch (InvocationTargetException e)
        {
            thrown = e.getCause();
        }
        catch (IllegalAccessException e)
        {
            thrown = e;
        }
        finally
        {
            System.setOut(stdout);
            System.setErr(stderr);
            System.setSecurityManager(before);
        }
        if (thrown != null && !(thrown instanceof Exit))
            return thrown.toString();
        if (trap.code != null && trap.code != 0)
            return "exit code " + trap.code + ", output in " + part;
        Files.move(part, out, StandardCopyOption.REPLACE_EXISTING);
        return "";
    }
}
