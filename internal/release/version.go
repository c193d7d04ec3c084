package main

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	// A version of a Go module: three numbers, and what may stand behind them.
	goVersion = regexp.MustCompile(`^v(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$`)
	// What the go command makes of a commit without a tag: the pre-release of the tag before it, if
	// that was one, the time of the commit, and its hash.
	untagged   = regexp.MustCompile(`^(?:(.+)\.)?(?:0\.)?(\d{14})-([0-9a-f]{12})$`)
	preRelease = regexp.MustCompile(`^(alpha|beta|rc)\.?(\d+)$`)
	separators = regexp.MustCompile(`[^0-9a-z]+`)
)

// python is a version of a Go module in the notation and the order of Python's packages (PEP 440):
// v1.2.0-rc.1 is 1.2.0rc1, and a commit without a tag is a .dev release.
func python(version string) (string, error) {
	parts := goVersion.FindStringSubmatch(version)
	if parts == nil {
		return "", fmt.Errorf("the version %q is not like v1.2.3", version)
	}
	base, pre, local := parts[1], parts[2], parts[3]
	dev := ""
	if commit := untagged.FindStringSubmatch(pre); commit != nil {
		pre, dev = commit[1], ".dev"+commit[2]
		local = strings.Trim(commit[3]+"."+local, ".")
	}
	if pre = strings.TrimSuffix(pre, ".0"); pre == "0" {
		pre = "" // the tag before was no pre-release
	}
	if pre != "" {
		kind := preRelease.FindStringSubmatch(pre)
		if kind == nil {
			return "", fmt.Errorf("the version %s says %q, for which Python's versions have no form: tag -alpha.1, -beta.1 or -rc.1", version, pre)
		}
		base += map[string]string{"alpha": "a", "beta": "b", "rc": "rc"}[kind[1]] + kind[2]
		if dev != "" {
			dev = ".post1" + dev // later than the pre-release itself
		}
	}
	if local = separators.ReplaceAllString(strings.ToLower(local), "."); local != "" {
		local = "+" + local
	}
	return base + dev + local, nil
}

// debian is a version of a Go module in the notation and the order of Debian's packages: ~ sorts
// before the end of the text.
func debian(version string) string {
	base, pre, found := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	if !found {
		return base
	}
	return base + "~" + strings.ReplaceAll(pre, "-", ".")
}
