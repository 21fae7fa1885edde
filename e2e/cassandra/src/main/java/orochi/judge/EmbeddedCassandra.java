package orochi.judge;

import java.util.ArrayList;
import java.util.List;

import org.apache.cassandra.cql3.QueryProcessor;
import org.apache.cassandra.cql3.UntypedResultSet;
import org.apache.cassandra.db.ColumnFamilyStore;
import org.apache.cassandra.db.ConsistencyLevel;
import org.apache.cassandra.db.Keyspace;
import org.apache.cassandra.service.CassandraDaemon;
import org.apache.cassandra.service.StorageService;

/** A Cassandra node inside this process: configured by system properties, no client ports. */
final class EmbeddedCassandra
{
    private EmbeddedCassandra()
    {
    }

    static void start()
    {
        new CassandraDaemon(true).activate();
        // Counter updates go to a replica that serves clients; this node has no port for them.
        StorageService.instance.setRpcReady(true);
    }

    static UntypedResultSet execute(String cql)
    {
        try
        {
            return QueryProcessor.process(cql, ConsistencyLevel.ONE);
        }
        catch (RuntimeException e)
        {
            throw new Refused(cql, e);
        }
    }

    /** A statement that failed; the message is Cassandra's. */
    static final class Refused extends RuntimeException
    {
        private static final long serialVersionUID = 1;
        private final String cql;

        Refused(String cql, RuntimeException why)
        {
            super(String.valueOf(why.getMessage()), why);
            this.cql = cql.length() > 300 ? cql.substring(0, 300) + "..." : cql;
        }

        @Override
        public String toString()
        {
            return getMessage() + "\n  in: " + cql;
        }
    }

    /** The rows of a SELECT JSON, each as its JSON text. */
    static List<String> selectJson(String cql)
    {
        List<String> rows = new ArrayList<>();
        for (UntypedResultSet.Row row : execute(cql))
            rows.add(row.getString("[json]"));
        return rows;
    }

    static void createKeyspace(String keyspace)
    {
        execute("CREATE KEYSPACE IF NOT EXISTS " + keyspace + " WITH replication = {'class': 'SimpleStrategy',"
                + " 'replication_factor': 1} AND durable_writes = false");
    }

    static ColumnFamilyStore table(String keyspace, String table)
    {
        ColumnFamilyStore store = Keyspace.open(keyspace).getColumnFamilyStore(table);
        store.disableAutoCompaction();
        return store;
    }

    static void flush(ColumnFamilyStore store)
    {
        store.forceBlockingFlush(ColumnFamilyStore.FlushReason.USER_FORCED);
    }
}
