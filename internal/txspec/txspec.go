// Package txspec reads the values of --tx: specs that may be multiplied, in pytest-xdist's
// notation.
package txspec

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-execnet/execnet/xspec"
)

// Max is how many gateways one multiplied spec may ask for. More is most likely a typing error.
const Max = 1000

var multiplied = regexp.MustCompile(`^\s*([-+]?[0-9]+)\s*\*(.*)$`)

// Parse reads specs such as "popen" and "3*popen//python=python3.12", the second of which stands
// for three, and "launch=mpirun -np 4//n=4", which stands for each of its workers. Each spec of the
// result has an id: its own, or, in the order of texts, the next of gw0, gw1, ... that no other
// has. So the ids do not depend on which gateway starts first.
func Parse(texts []string) ([]*xspec.Spec, error) {
	specs, err := Expand(texts)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, spec := range specs {
		taken[spec.ID] = true
	}
	next := 0
	for _, spec := range specs {
		for spec.ID == "" {
			if id := fmt.Sprintf("gw%d", next); !taken[id] {
				spec.ID = id
			}
			next++
		}
	}
	return specs, nil
}

// Expand is Parse that gives no ids to specs that have none.
func Expand(texts []string) ([]*xspec.Spec, error) {
	var specs []*xspec.Spec
	taken := map[string]bool{}
	for _, text := range texts {
		count, one, err := split(text)
		if err != nil {
			return nil, err
		}
		spec, err := xspec.Parse(one)
		if err == nil {
			err = spec.CheckKeys()
		}
		if err == nil {
			err = spec.Validate()
		}
		if err != nil {
			return nil, err
		}
		if spec.ID != "" && count > 1 {
			return nil, fmt.Errorf("%q asks for %d gateways of the same id %q: leave id= away, or write one spec for each", text, count, spec.ID)
		}
		for range count {
			for _, worker := range spec.Workers() {
				if worker.ID != "" && taken[worker.ID] {
					return nil, fmt.Errorf("%q: another spec has the id %q already", text, worker.ID)
				}
				taken[worker.ID] = true
				specs = append(specs, worker)
			}
		}
	}
	return specs, nil
}

// SetEnv sets environment variables, given as NAME=VALUE, for each of specs. A variable that a spec
// sets itself (env:NAME) keeps that value.
func SetEnv(specs []*xspec.Spec, variables []string) error {
	values := map[string]string{}
	for _, variable := range variables {
		name, value, ok := strings.Cut(variable, "=")
		_, twice := values[name]
		switch {
		case !ok || name == "":
			return fmt.Errorf("%q: it must be NAME=VALUE", variable)
		case twice:
			return fmt.Errorf("%q: %s has another value already", variable, name)
		case strings.ContainsRune(variable, 0):
			return fmt.Errorf("%q contains a NUL character", variable)
		}
		values[name] = value
	}
	for _, spec := range specs {
		env := maps.Clone(values)
		maps.Copy(env, spec.Env)
		spec.Env = env
	}
	return nil
}

// split separates the multiplier from the spec.
func split(text string) (count int, spec string, err error) {
	m := multiplied.FindStringSubmatch(text)
	if m == nil {
		return 1, text, nil
	}
	count, err = strconv.Atoi(m[1])
	switch {
	case err != nil || count > Max:
		return 0, "", fmt.Errorf("%q asks for more than %d gateways", text, Max)
	case count < 1:
		return 0, "", fmt.Errorf("%q asks for no gateway: the number before * must be 1 or more", text)
	}
	return count, m[2], nil
}
