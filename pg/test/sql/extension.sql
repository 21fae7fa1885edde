-- Goal: the extension says which version runs, refuses settings that do not exist, and explains
-- itself when it was not preloaded (that one is in tap/preload.pl).
SELECT orochi.orochi_version() = extversion AS library_and_script_agree
FROM pg_extension WHERE extname = 'orochi';
SELECT name, setting, unit, min_val, max_val, enumvals FROM pg_settings
WHERE name LIKE 'orochi.%' AND name <> 'orochi.injection'  -- that one is of debug builds only
ORDER BY name;
SET orochi.no_such_setting = 1;
SET orochi.columnar_compression = 'gzip';
