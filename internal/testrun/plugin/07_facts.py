# What the driver gets to know of a configuration.


def describe(config, plugin):
    import pytest
    return {"python": text_of(sys.version.split()[0]), "platform": text_of(sys.platform),
            "path": text_of(sys.executable or ""), "pytest": text_of(pytest.__version__),
            "root": plugin.root, "forked": False, "options": shown(config, plugin), "reports": reports(config),
            "header": []}


def header(config, plugin):
    """The lines that plugins want to have above the tests. Some of them import much for that."""
    import pytest
    option = config.option
    if option.verbose < 0 or getattr(option, "no_header", False):
        return []
    reporter = plugin.silent and plugin.silent._reporter
    found, start = [], {}
    try:
        if int(pytest.__version__.split(".")[0]) >= 7:
            start["start_path"] = config.invocation_params.dir
        else:
            import py
            start["startdir"] = py.path.local()
        parts = [config.hook.pytest_report_header(config=config, **start)]
        if reporter is not None:
            parts.append([reporter.pytest_report_header(config)])
        for part in reversed([p for some in parts for p in some]):
            found += [part] if isinstance(part, (str, unicode)) else list(part or ())
    except Exception:
        return []  # of a plugin that says nothing without a terminal
    found = [line for lines in found for line in text_of(lines).splitlines()]
    # Old releases put it all into one line.
    found = [line.partition(", ")[2] if line.startswith("rootdir: ") else line for line in found]
    return [line for line in found if line]


def reports(config):
    """The options in use with which plugins write a report of all tests. There are only parts here."""
    return [text_of(name) for dest, name in (
        ("htmlpath", "--html"), ("json_report", "--json-report"), ("report_log", "--report-log"),
        ("csv_path", "--csv"), ("excelpath", "--excelreport"), ("md_report", "--md-report"),
        ("nunit_xmlpath", "--nunit-xml"), ("tap_stream", "--tap-stream"), ("tap_combined", "--tap-combined"),
    ) if getattr(config.option, dest, None)]


def shown(config, plugin):
    """The options and ini settings that say how a run is shown, and how its tests are distributed."""
    values = {"dist": plugin.dist, "no_terminal": plugin.silent is None}
    for name in ("verbose", "reportchars", "tbstyle", "showcapture", "capture", "durations", "durations_min",
                 "no_header", "no_summary", "disable_warnings", "maxfail", "collectonly", "xmlpath", "junitprefix"):
        values[name] = getattr(config.option, name, None)
    for name in ("console_output_style", "junit_family", "junit_suite_name", "junit_logging",
                 "junit_log_passing_tests", "junit_duration_report"):
        try:
            values[name] = config.getini(name)
        except (KeyError, ValueError):
            pass  # this release does not have it
    cache = getattr(config, "cache", None)
    values["cache_dir"] = getattr(cache, "_cachedir", None)
    return dict((text_of(name), u"1" if value is True else text_of(value))
                for name, value in values.items() if value is not None and value is not False)
