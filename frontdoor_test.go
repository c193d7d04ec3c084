package execnet_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
)

// aliases are the types of this package, for their methods and fields.
var aliases = map[string]reflect.Type{
	"Gateway": of[execnet.Gateway](), "Channel": of[execnet.Channel](), "Handle": of[execnet.Handle](),
	"ExecOption": of[execnet.ExecOption](), "Kwargs": of[execnet.Kwargs](), "FileReader": of[execnet.FileReader](), "FileWriter": of[execnet.FileWriter](),
	"FileOption": of[execnet.FileOption](), "StrConfig": of[execnet.StrConfig](), "RInfo": of[execnet.RInfo](),
	"VersionInfo": of[execnet.VersionInfo](), "RemoteStatus": of[execnet.RemoteStatus](), "Exit": of[execnet.Exit](),
	"Group": of[execnet.Group](), "MultiChannel": of[execnet.MultiChannel](), "ReceiveQueue": of[execnet.ReceiveQueue](),
	"Answer": of[execnet.Answer[int]](), "Line": of[execnet.Line](), "Stream": of[execnet.Stream](),
	"Received": of[execnet.Received](), "SSHOptions": of[execnet.SSHOptions](), "XSpec": of[execnet.XSpec](),
	"Tuple": of[execnet.Tuple](), "Dict": of[execnet.Dict](), "Set": of[execnet.Set](), "FrozenSet": of[execnet.FrozenSet](),
	"NDArray":     of[execnet.NDArray](),
	"Stats":       of[execnet.Stats](),
	"RemoteError": of[execnet.RemoteError](), "GatewayDiedError": of[execnet.GatewayDiedError](),
	"SourceError": of[execnet.SourceError](), "BootstrapError": of[execnet.BootstrapError](),
	"MakeGatewaysError": of[execnet.MakeGatewaysError](), "InterruptedError": of[execnet.InterruptedError](),
	"XSpecError": of[execnet.XSpecError](), "DumpError": of[execnet.DumpError](), "LoadError": of[execnet.LoadError](),
	"PythonNotFoundError": of[execnet.PythonNotFoundError](), "HostNotFoundError": of[execnet.HostNotFoundError](),
	"HostKeyError": of[execnet.HostKeyError](), "SSHAuthError": of[execnet.SSHAuthError](),
	"UnsupportedSSHError": of[execnet.UnsupportedSSHError](), "StartError": of[execnet.StartError](),
	"TLSError": of[execnet.TLSError](), "ViaError": of[execnet.ViaError](), "ContainerError": of[execnet.ContainerError](), "LaunchError": of[execnet.LaunchError](), "DeployError": of[execnet.DeployError](), "Upload": of[execnet.Upload](),
}

func of[T any]() reflect.Type { return reflect.TypeFor[*T]() }

// TestAliasesListWhatTheyHave compares the comment of each alias with the methods and fields of its
// type, since "go doc" shows only the comment.
func TestAliasesListWhatTheyHave(t *testing.T) {
	found := 0
	for _, name := range []string{"types.go", "errors.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.TYPE {
				continue
			}
			alias := group.Specs[0].(*ast.TypeSpec).Name.Name
			found++
			require.Contains(t, aliases, alias, "the list of this test")
			doc := group.Doc.Text()
			for _, member := range members(aliases[alias]) {
				assert.Regexp(t, `\b`+member+`\b`, doc, "%s does not say that it has %s", alias, member)
			}
			if strings.HasSuffix(alias, "Error") {
				assert.Regexp(t, regexp.MustCompile(`errors\.As\s+with\s+a\s+\*`+alias), doc)
			}
		}
	}
	assert.Len(t, aliases, found)
}

// members are the names of the methods and fields of what pointer points to. A spec's are those of
// a package of its own, and every error has Error and Unwrap.
func members(pointer reflect.Type) (names []string) {
	if pointer == of[execnet.XSpec]() {
		return nil
	}
	for i := range pointer.NumMethod() {
		if name := pointer.Method(i).Name; name != "Error" && name != "Unwrap" {
			names = append(names, name)
		}
	}
	if pointer.Elem().Kind() == reflect.Struct {
		for i := range pointer.Elem().NumField() {
			if field := pointer.Elem().Field(i); field.IsExported() {
				names = append(names, field.Name)
			}
		}
	}
	return names
}
