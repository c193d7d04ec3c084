package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// results are what docs/benchmarks.md shows. They are kept in a file, so that a run of some
// measurements replaces only their rows.
type results struct {
	Setting string `json:"setting"` // machine and versions
	Rows    []row  `json:"rows"`
}

// setting names the machine and the versions that are measured.
func (b *bench) setting(rounds int) string {
	return fmt.Sprintf("%s on %s/%s, %d CPUs; our worker: Python %s; execnet %s in Python %s; %d rounds",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), b.python.version, b.pip.release, b.pip.python.version, rounds)
}

// section is a chart and a table of docs/benchmarks.md.
type section struct {
	key, title, note string
	match            *regexp.Regexp // of the rows' names
}

const (
	lessTime = "Time; a shorter bar is better. Each group has its own scale."
	moreRate = "Per second; a longer bar is better. Each group has its own scale."
)

// sections are in the order of the page. A row belongs to the first section that matches.
var sections = []section{
	{"trees", "Sending directory trees", lessTime, regexp.MustCompile(`^sync of`)},
	{"ssh", "First results over ssh, 50 ms each way", "Round trips; a shorter bar is better. Each group has its own scale.", regexp.MustCompile(`over ssh$`)},
	{"uploads", "Uploading a program", lessTime, regexp.MustCompile(`^upload of`)},
	{"values", "Dumping and loading values", lessTime, regexp.MustCompile(`^(dumps|loads|allocations) `)},
	{"latency", "Round trips between processes", lessTime, regexp.MustCompile(`^(echo|Go function|call of a) `)},
	{"throughput", "Items and bytes", moreRate, regexp.MustCompile(`^(items|bytes) of`)},
	{"arrays", "A million float64", lessTime, regexp.MustCompile(`^a million float64`)},
	{"words", "Counting words", lessTime, regexp.MustCompile(`^words of`)},
	{"pools", "Pools of workers", "Jobs per second, a longer bar is better; time to replace a worker, a shorter one is better.", regexp.MustCompile(` of a pool`)},
	{"suites", "Test suites", "Time, and memory of all processes; a shorter bar is better. Each group has its own scale.", regexp.MustCompile(`^suite of`)},
	{"starts", "Starting workers", lessTime, regexp.MustCompile(`^start |^first program|first results|workers in one group|auto's decision`)},
}

// sectionOf returns the section that a row of the name belongs to.
func sectionOf(name string) (section, error) {
	for _, s := range sections {
		if s.match.MatchString(name) {
			return s, nil
		}
	}
	return section{}, fmt.Errorf("%q belongs to no section of benchmarks.md", name)
}

// readResults reads the results in folder docs; none if there is no file yet.
func readResults(docs string) (r results, err error) {
	data, err := os.ReadFile(filepath.Join(docs, "benchmarks", "results.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(data, &r)
}

// merge replaces the rows of the measurements that were made again.
func (r *results) merge(setting string, measured [][]row) {
	r.Setting = setting
	for _, rows := range measured {
		r.replace(rows)
	}
}

// replace puts the rows of one measurement where its first one stood, or at the end.
func (r *results) replace(rows []row) {
	at := len(r.Rows)
	names := map[string]bool{}
	for _, new := range rows {
		names[new.Name] = true
	}
	var kept []row
	for i, old := range r.Rows {
		if names[old.Name] {
			at = min(at, i)
			continue
		}
		kept = append(kept, old)
	}
	at = min(at, len(kept))
	r.Rows = append(append(append([]row(nil), kept[:at]...), rows...), kept[at:]...)
}

// write writes results.json, a chart for each section, and the tables in benchmarks.md.
func (r results) write(docs string) error {
	files, err := r.files(docs)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(docs, "benchmarks"), 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(docs, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files are the contents of what write writes, by name in folder docs.
func (r results) files(docs string) (map[string][]byte, error) {
	page, err := os.ReadFile(filepath.Join(docs, "benchmarks.md"))
	if err != nil {
		return nil, err
	}
	bySection := map[string][]row{}
	for i := range r.Rows {
		row := &r.Rows[i]
		for _, v := range []*float64{&row.Value, &row.TheirValue, &row.Ratio, &row.LowQuartile, &row.HighQuartile} {
			*v = rounded(*v)
		}
		s, err := sectionOf(row.Name)
		if err != nil {
			return nil, err
		}
		bySection[s.key] = append(bySection[s.key], *row)
	}
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{filepath.Join("benchmarks", "results.json"): append(data, '\n')}
	text, err := between(string(page), "setting", r.Setting+"\n")
	for _, s := range sections {
		rows := bySection[s.key]
		files[filepath.Join("benchmarks", s.key+".svg")] = []byte(newChart(s.title, s.note, rows).svg())
		if err == nil {
			text, err = between(text, s.key, fmt.Sprintf("![%s](benchmarks/%s.svg)\n\n%s", s.title, s.key, markdown(rows)))
		}
	}
	files["benchmarks.md"] = []byte(text)
	return files, err
}

// rounded is the value with the digits that a measurement has.
func rounded(value float64) float64 {
	text := strconv.FormatFloat(value, 'g', 4, 64)
	value, _ = strconv.ParseFloat(text, 64) // it reads what FormatFloat wrote
	return value
}

// markdown is the table of the rows.
func markdown(rows []row) string {
	var b strings.Builder
	t := newTable(&b, true)
	t.head()
	t.rows(rows)
	return b.String()
}

// between replaces what stands between the two comments that mark a part of the page.
func between(page, key, content string) (string, error) {
	begin, end := "<!-- begin "+key+" -->\n", "<!-- end "+key+" -->\n"
	before, rest, ok1 := strings.Cut(page, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		return "", fmt.Errorf("benchmarks.md lacks the lines %q and %q", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + content + end + after, nil
}
