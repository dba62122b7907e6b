package cmdline

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// readConfig takes from the configuration file what the command line does not say.
func (s *Settings) readConfig(cmd *cobra.Command) error {
	if s.config == "" {
		return nil
	}
	text, err := os.ReadFile(s.config)
	if err != nil {
		return Broken(fmt.Errorf("read the configuration: %w", err))
	}
	values := map[string]any{}
	meta, err := toml.Decode(string(text), &values)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return Wrong("%s: %s", s.config, strings.TrimSpace(syntax.ErrorWithPosition()))
	} else if err != nil {
		return Wrong("%s: %w", s.config, err)
	}
	flags := cmd.Flags()
	given := map[string]bool{}
	flags.Visit(func(f *pflag.Flag) { given[f.Name] = true })
	for _, key := range meta.Keys() {
		name := key.String()
		f := flags.Lookup(name)
		if f == nil || slices.Contains([]string{"config", "help", "version"}, f.Name) {
			return Wrong("%s: %s has no setting %q%s", s.config, cmd.CommandPath(), name, suggestion("", name, flagNames(flags)))
		}
		if given[f.Name] {
			continue
		}
		if err := configure(f, values[name]); err != nil {
			return Wrong("%s: %s: %w", s.config, name, err)
		}
	}
	return nil
}

// configure sets a flag to a value of the configuration.
func configure(f *pflag.Flag, v any) error {
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	var texts []string
	for _, v := range list {
		switch v.(type) {
		case string, bool, int64:
			texts = append(texts, fmt.Sprint(v))
		default:
			return fmt.Errorf("want a text, not %v", v)
		}
	}
	if many, ok := f.Value.(pflag.SliceValue); ok {
		return many.Replace(texts)
	}
	if isList {
		return errOneValue
	}
	return f.Value.Set(texts[0])
}
