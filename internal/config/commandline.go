package config

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"
)

// grammar is the grammar of the command line for kong. All settings are strings, because kong stops
// at the first value that it cannot decode. Package config decodes the values itself and lists all
// problems.
type grammar struct {
	settings

	VersionFlag bool `name:"version" help:"Print the version and exit."`

	Serve  struct{} `cmd:"" default:"1" help:"Serve GraphQL. This is the default command."`
	Check  struct{} `cmd:"" help:"Check the settings, the upstream, its contract and Redis, report problems, and exit with 0 or 1."`
	Schema struct{} `cmd:"" help:"Print the GraphQL schema (SDL)."`
	Health struct{} `cmd:"" help:"Request /readyz on --listen and exit with 0 or 1; for container health checks."`

	Version struct{} `cmd:"" help:"Print the version."`
	Help    struct{} `cmd:"" help:"Print this help."`
}

// commandLine is the result of matching arguments and environment with the grammar. The values are
// not decoded yet.
type commandLine struct {
	command  Command
	settings settings
	flags    []string        // names of all settings
	given    map[string]bool // names of settings set by a flag or a variable
	typed    map[string]bool // names of settings set by a flag
	problems []string        // problems with the arguments, not with their values
}

func readCommandLine(args []string, env environment, stdout io.Writer) (*commandLine, error) {
	var g grammar
	parser, err := kong.New(&g,
		kong.Name("cvmgraph"),
		kong.Description("cvmgraph serves a REST list of confidential VMs as GraphQL."),
		kong.Writers(stdout, io.Discard),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Help(printUsage),
		kong.ValueFormatter(helpText),
		kong.Resolvers(env),
	)
	if err != nil {
		return nil, fmt.Errorf("command line grammar: %w", err)
	}
	parser.Model.HelpFlag.Help = "Print help."
	ctx, problems, err := traceAll(parser, args)
	if err != nil {
		return nil, err
	}
	line := &commandLine{problems: problems, given: map[string]bool{}, typed: map[string]bool{}}
	for _, flag := range parser.Model.Flags {
		if isSetting(flag) {
			line.flags = append(line.flags, flag.Name)
		}
	}
	selected := ctx.Selected()
	switch {
	case isOn(ctx, "help"), selected != nil && selected.Name == string(CommandHelp):
		if err := printHelp(parser, ctx); err != nil {
			return nil, fmt.Errorf("write the help: %w", err)
		}
		line.command = CommandHelp
		return line, nil
	case isOn(ctx, "version"), selected != nil && selected.Name == string(CommandVersion):
		line.command = CommandVersion
		return line, nil
	}
	if err := apply(ctx); err != nil {
		return nil, fmt.Errorf("command line: %w", err)
	}
	line.command, line.settings = Command(ctx.Selected().Name), g.settings
	for _, step := range ctx.Path {
		if step.Flag != nil {
			line.given[step.Flag.Name] = true
			line.typed[step.Flag.Name] = line.typed[step.Flag.Name] || !step.Resolved
		}
	}
	return line, nil
}

// printHelp prints the help of the selected command, or of the program if the command is help.
func printHelp(parser *kong.Kong, ctx *kong.Context) error {
	if selected := ctx.Selected(); selected != nil && selected.Name == string(CommandHelp) {
		var err error
		if ctx, err = kong.Trace(parser, []string{"--help"}); err != nil {
			return err
		}
	}
	return ctx.PrintUsage(false)
}

// printUsage is kong's printer with another first line for the program, whose command is optional.
func printUsage(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() == nil {
		if _, err := fmt.Fprintln(ctx.Stdout, "Usage: cvmgraph [<command>] [flags]"); err != nil {
			return err
		}
		options.NoAppSummary = true
	}
	return kong.DefaultHelpPrinter(options, ctx)
}

// unusedCredentials returns messages about credentials that the command does not use. A flag is
// rejected, because the user expects it to have an effect. A variable is ignored, because it may be
// there for the check of the same deployment; only serve warns about it.
func (line *commandLine) unusedCredentials() (ignored, rejected []string) {
	for _, flag := range []string{"token", "token-file", "api-key", "api-key-file"} {
		message := settingLabel(flag) + " is only for cvmgraph check; callers send their own credentials"
		switch {
		case line.typed[flag]:
			rejected = append(rejected, message)
		case line.given[flag] && line.command == CommandServe:
			ignored = append(ignored, message)
		}
	}
	return ignored, rejected
}

// apply writes defaults, variables and flags to the grammar. It does the same as kong's Parse, but
// without hooks: the hook of --help exits.
func apply(ctx *kong.Context) error {
	if err := ctx.Reset(); err != nil {
		return err
	}
	if err := ctx.Resolve(); err != nil {
		return err
	}
	if _, err := ctx.Apply(); err != nil {
		return err
	}
	return ctx.Validate()
}

// traceAll matches args with the grammar and collects all problems, although kong stops at the
// first one: traceAll removes each argument that kong rejects and matches the rest again. The
// returned context has no error, or it asks for help.
func traceAll(parser *kong.Kong, args []string) (*kong.Context, []string, error) {
	args = slices.Clone(args)
	var problems []string
	for {
		ctx, err := kong.Trace(parser, args)
		if err != nil {
			return nil, nil, fmt.Errorf("command line: %w", err)
		}
		if ctx.Error == nil || isOn(ctx, "help") {
			return ctx, problems, nil
		}
		// The remainder of the last successful step begins with the rejected argument.
		at := len(args) - len(ctx.Path[len(ctx.Path)-1].Remainder())
		if at >= len(args) {
			return nil, nil, fmt.Errorf("command line: %w", ctx.Error)
		}
		problem, used := argumentProblem(parser.Model, args[at:], ctx.Selected() != nil)
		problems = append(problems, problem)
		args = slices.Delete(args, at, at+used)
	}
}

// quotedWord returns " " and the argument in quotes, or "" for one that does not look like a
// command. It may be a secret, as in "--api-key= phak_…".
func quotedWord(arg string) string {
	const longest = 12
	if len(arg) > longest || strings.Trim(arg, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return ""
	}
	return " " + quote(arg)
}

// argumentProblem returns the problem with args[0], which kong has rejected, and the number of
// arguments that belong to it. That is 2 if args[1] appears to be the value of an unknown flag. The
// value may be a secret, so the problem does not contain it. HasCommand reports
// whether args follow a command.
func argumentProblem(model *kong.Application, args []string, hasCommand bool) (problem string, used int) {
	arg := args[0]
	if arg == "--" {
		return "unexpected arguments after --", len(args)
	}
	if !strings.HasPrefix(arg, "-") || arg == "-" {
		if hasCommand {
			return "unexpected argument" + quotedWord(arg), 1
		}
		names := commandNames(model)
		hint := cmp.Or(didYouMean("", arg, names), ": use "+enumerate(names))
		return "unknown command" + quotedWord(arg) + hint, 1
	}
	name, _, joined := strings.Cut(strings.TrimPrefix(arg, "--"), "=") // "-p" keeps its dash

	var known []string
	for _, flag := range model.Flags {
		if flag.Name != name {
			known = append(known, flag.Name)
			continue
		}
		if flag.IsBool() {
			return label(flag) + " must be true or false", 1
		}
		problem = label(flag) + " needs a value"
		if len(args) > 1 {
			problem += " (write a value that begins with a dash as --" + name + "=-…)"
		}
		return problem, 1
	}
	used = 1
	if !joined && len(args) > 1 && !strings.HasPrefix(args[1], "-") && !slices.Contains(commandNames(model), args[1]) {
		used = 2
	}
	if strings.HasPrefix(arg, "--") {
		name = flagLetters(name)
		return "unknown flag --" + name + didYouMean("--", name, known), used
	}
	if name = strings.TrimPrefix(name, "-"); slices.Contains(known, name) {
		return "unknown flag -" + name + ", did you mean --" + name + "?", used
	}
	// The letters after the first may be a value, which is not shown.
	return "unknown flag -" + string([]rune(name)[:min(1, len(name))]), used
}

// flagLetters returns the prefix of name that can be the name of a flag. The rest may be a value
// after a wrong separator.
func flagLetters(name string) string {
	end := strings.IndexFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if end < 0 {
		return name
	}
	return name[:end]
}

func commandNames(model *kong.Application) []string {
	var names []string
	for _, command := range model.Children {
		names = append(names, command.Name)
	}
	return names
}

// isOn reports whether a boolean flag is set and true.
func isOn(ctx *kong.Context, name string) bool {
	return slices.ContainsFunc(ctx.Path, func(step *kong.Path) bool {
		return step.Flag != nil && step.Flag.Name == name && ctx.Value(step).Bool()
	})
}

// isSetting reports whether a flag is a setting. --help and --version have no default and no
// variable.
func isSetting(flag *kong.Flag) bool {
	return flag.HasDefault
}

// label returns the name of a flag and, for a setting, the name of its variable.
func label(flag *kong.Flag) string {
	if isSetting(flag) {
		return settingLabel(flag.Name)
	}
	return "--" + flag.Name
}

// helpText returns the help of a flag with its default and its variable.
func helpText(value *kong.Value) string {
	if value.Flag == nil || !isSetting(value.Flag) {
		return value.Help
	}
	return fmt.Sprintf("%s Default %s. [%s]", value.Help, cmp.Or(value.Default, "empty"), variable(value.Name))
}
