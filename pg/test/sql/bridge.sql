-- Goal: an error keeps SQLSTATE, DETAIL and HINT on its way through C++, and leaves no C++ object
-- alive. Method: provoke each kind of error while objects are alive, then count them.
CREATE FUNCTION bridge_fail(text) RETURNS void LANGUAGE c STRICT AS 'orochi_test', 'bridge_fail';
CREATE FUNCTION bridge_live_objects() RETURNS int LANGUAGE c AS 'orochi_test', 'bridge_live_objects';
CREATE FUNCTION bridge_subtransaction(text) RETURNS text LANGUAGE c STRICT AS 'orochi_test', 'bridge_subtransaction';
CREATE FUNCTION bridge_context_object(bool) RETURNS int LANGUAGE c STRICT AS 'orochi_test', 'bridge_context_object';

CREATE FUNCTION caught(kind text) RETURNS TABLE (sqlstate_ text, message text, detail text, hint text, alive int)
LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    PERFORM bridge_fail(kind);
    sqlstate_ := '00000';
  EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
    GET STACKED DIAGNOSTICS sqlstate_ = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
                            detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  END;
  message := regexp_replace(message, ' at .*', ' at FILE:LINE');
  alive := bridge_live_objects();
  RETURN NEXT;
END $$;

SELECT kind, c.* FROM unnest(ARRAY['none', 'pg', 'status', 'bad_alloc', 'exception', 'unknown', 'assert',
  'assert_in_pg', 'nested', 'nested_pg', 'nested_then_assert', 'holdoff', 'cancel', 'no such kind']) kind,
  LATERAL caught(kind) c;

-- A message longer than the report's buffer is cut between characters.
SELECT sqlstate_, length(message), right(message, 1), alive FROM caught('long_message');

-- Errors that reach the client directly.
SELECT bridge_fail('pg');
SELECT bridge_fail('status');
SELECT bridge_live_objects();

-- Catching in a subtransaction, and carrying on.
SELECT kind, regexp_replace(bridge_subtransaction(kind), ' at .*', ' at FILE:LINE') AS caught
FROM unnest(ARRAY['none', 'pg', 'status', 'nested', 'nested_pg']) kind;
BEGIN;
CREATE TABLE kept (a int);
SELECT bridge_subtransaction('pg');
INSERT INTO kept VALUES (1);
COMMIT;
SELECT * FROM kept;
SELECT bridge_live_objects();

-- Objects tied to a memory context.
SELECT bridge_context_object(false);
SELECT bridge_context_object(true);
SELECT bridge_live_objects();
DROP TABLE kept;
DROP FUNCTION caught, bridge_fail, bridge_live_objects, bridge_subtransaction, bridge_context_object;
