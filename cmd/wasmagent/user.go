package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/audit"
)

func (a *app) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Manage who may ask the agent",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return errors.New("which command? " + seeHelp(cmd)) },
	}
	cmd.AddCommand(a.userAddCommand(), a.userListCommand(), a.userPasswordCommand(), a.userTokenCommand(), a.userRemoveCommand())
	return cmd
}

// userFileFlag adds --users to a command.
func userFileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "users", "", "the users are in this `FILE` and not in the one of config.toml")
}

// users is the file of the users: the one that is named, else the configuration's.
func (a *app) users(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	c, err := a.configuration()
	if err == nil && c.Users == "" {
		err = errors.New("there is no place for a file of users; name one with --users, or set users in config.toml")
	}
	return c.Users, err
}

// accounts reads the file of the users; one that is missing has none.
func (a *app) accounts(named string) (file string, accounts *access.Accounts, err error) {
	if file, err = a.users(named); err != nil {
		return "", nil, err
	}
	accounts, err = access.Load(file)
	if errors.Is(err, os.ErrNotExist) {
		return file, nil, nil
	}
	return file, accounts, err
}

// A userFlags is what the flags of user add say.
type userFlags struct {
	file, password, certificate string
	roles                       []string
	token                       bool
}

func (a *app) userAddCommand() *cobra.Command {
	var f userFlags
	cmd := &cobra.Command{
		Use:   "add NAME --role ROLE",
		Short: "Add a user",
		Long: `Add adds a user with the password that it asks for; or, with --token, with a token
that it makes and prints once; or, with --certificate, with a client certificate
that an authority in client_ca has signed. The file of the users keeps only what a
password or a token can be verified with.

The roles "full", "client" and "monitoring" are built in; others are defined in the
file.`,
		Example: `  wasmagent user add amy --role full
  wasmagent user add prometheus --role monitoring --token
  wasmagent user add icinga --role client --certificate icinga.example.com`,
		Args: one("NAME"),
	}
	userFileFlag(cmd, &f.file)
	passwordFlag(cmd, &f.password)
	cmd.Flags().StringArrayVar(&f.roles, "role", nil, "the user has this `ROLE`; may be repeated")
	cmd.Flags().BoolVar(&f.token, "token", false, "make a token and print it once, and ask for no password")
	cmd.Flags().StringVar(&f.certificate, "certificate", "", "the user shows the client certificate of this common `NAME`, or of this fingerprint, sha256:...")
	_ = cmd.MarkFlagRequired("role")
	cmd.MarkFlagsMutuallyExclusive("token", "password-file")
	cmd.RunE = do(func(_ context.Context, args []string) error { return a.userAdd(args[0], f) })
	return cmd
}

func (a *app) userAdd(name string, f userFlags) error {
	file, accounts, err := a.accounts(f.file)
	if err != nil {
		return err
	}
	if _, exists := accounts.User(name); exists {
		return fmt.Errorf("there is a user %s already; give another password with: wasmagent user password %[1]s", name)
	}
	user, token := access.User{Name: name, Certificate: f.certificate, Roles: f.roles}, ""
	switch {
	case f.token:
		token = access.NewToken()
		user.Tokens = []access.Digest{access.DigestOf(token)}
	case f.password != "" || f.certificate == "":
		password, err := a.newPassword(f.password)
		if err != nil {
			return err
		}
		user.Password = access.NewHash(password)
	}
	return a.putUser(file, user, "add", token)
}

// putUser writes a user and says what is to do. A token that has been made is
// what goes to standard output.
func (a *app) putUser(file string, user access.User, action, token string) error {
	if err := access.Put(file, user); err != nil {
		return err
	}
	if token != "" {
		fmt.Fprintln(a.stdout, token)
		fmt.Fprintln(a.stderr, "This token is shown only once.")
	}
	return a.userDone(file, user.Name, action)
}

// userDone says what was done to a user, to the audit log as well.
func (a *app) userDone(file, name, action string) error {
	done := action + " user " + name
	if err := a.auditUser(done); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stderr, "%s: done, in %s. An agent that runs takes it by itself.\n", done, file)
	return err
}

// auditUser writes down what was done to the users, and by which one of the
// system's.
func (a *app) auditUser(action string) error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	log, err := a.logger(c.Log.Level)
	if err != nil {
		return err
	}
	line := audit.Line{Event: audit.Told, Action: action, By: "wasmagent user", Done: new(true)}
	if who, err := user.Current(); err == nil {
		line.User = who.Username
	}
	newAudit(c, log).Write(line)
	return nil
}

// onUser makes a command of the form "VERB NAME" that does something to a user who
// is there already.
func (a *app) onUser(cmd *cobra.Command, act func(file string, u access.User) error) *cobra.Command {
	var named string
	cmd.Args, cmd.ValidArgsFunction = one("NAME"), a.completeUser
	userFileFlag(cmd, &named)
	cmd.RunE = do(func(_ context.Context, args []string) error {
		file, u, err := a.user(named, args[0])
		if err != nil {
			return err
		}
		return act(file, u)
	})
	return cmd
}

func (a *app) userPasswordCommand() *cobra.Command {
	var passwordFile string
	cmd := a.onUser(&cobra.Command{
		Use:   "password NAME",
		Short: "Give a user another password",
		Long: `Password gives a user the password that it asks for. The sessions of the user end;
tokens, certificate and roles stay.`,
	}, func(file string, u access.User) error {
		text, err := a.newPassword(passwordFile)
		if err != nil {
			return err
		}
		u.Password = access.NewHash(text)
		return a.putUser(file, u, "give another password to", "")
	})
	passwordFlag(cmd, &passwordFile)
	return cmd
}

func (a *app) userTokenCommand() *cobra.Command {
	return a.onUser(&cobra.Command{
		Use:   "token NAME",
		Short: "Give a user another token, besides those it has",
		Long: `Token makes a token for a user and prints it once. The tokens that the user has
already stay; to take one back, take its line out of the file of the users.`,
	}, func(file string, u access.User) error {
		token := access.NewToken()
		u.Tokens = append(slices.Clip(u.Tokens), access.DigestOf(token))
		return a.putUser(file, u, "give a token to", token)
	})
}

func (a *app) userRemoveCommand() *cobra.Command {
	return a.onUser(&cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a user",
	}, func(file string, u access.User) error {
		if err := access.Remove(file, u.Name); err != nil {
			return err
		}
		return a.userDone(file, u.Name, "remove")
	})
}

// user finds a user, with the file that it is in.
func (a *app) user(named, name string) (file string, user access.User, err error) {
	file, accounts, err := a.accounts(named)
	if err != nil {
		return "", access.User{}, err
	}
	user, exists := accounts.User(name)
	if !exists {
		return "", access.User{}, fmt.Errorf("there is no user %q in %s", name, file)
	}
	return file, user, nil
}

func (a *app) userListCommand() *cobra.Command {
	var file, output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the users and what they may do",
		Args:  cobra.NoArgs,
	}
	userFileFlag(cmd, &file)
	outputFlag(cmd, &output)
	cmd.RunE = do(func(context.Context, []string) error {
		_, accounts, err := a.accounts(file)
		if err != nil {
			return err
		}
		return a.print(output, newUserListing(accounts))
	})
	return cmd
}

// A userListing is what user list prints.
type userListing struct {
	Users []userView `json:"users"`
}

// A userView is one user.
type userView struct {
	Name        string   `json:"name"`
	Roles       []string `json:"roles"`
	Password    bool     `json:"password"` // whether there is one
	Tokens      int      `json:"tokens"`
	Certificate string   `json:"certificate"`
}

func newUserListing(accounts *access.Accounts) userListing {
	l := userListing{Users: []userView{}}
	for _, u := range accounts.Users() {
		l.Users = append(l.Users, userView{u.Name, append([]string{}, u.Roles...), u.Password != (access.Hash{}), len(u.Tokens), u.Certificate})
	}
	return l
}

func (l userListing) print(w io.Writer) {
	fmt.Fprintln(w, "USER\tROLES\tSHOWS")
	for _, u := range l.Users {
		fmt.Fprintf(w, "%s\t%s\t%s\n", u.Name, orNothing(u.Roles, ", "), orNothing(u.shows(), ", "))
	}
}

// shows lists what the user can show.
func (u userView) shows() (list []string) {
	if u.Password {
		list = append(list, "a password")
	}
	if u.Tokens > 0 {
		list = append(list, counted(u.Tokens, "token"))
	}
	if u.Certificate != "" {
		list = append(list, "the certificate "+u.Certificate)
	}
	return list
}

// completeUser completes the name of a user.
func (a *app) completeUser(cmd *cobra.Command, args []string, word string) (names []string, _ cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	file, _ := cmd.Flags().GetString("users")
	_, accounts, _ := a.accounts(file)
	for _, u := range accounts.Users() {
		names = append(names, u.Name)
	}
	return matching(names, word), cobra.ShellCompDirectiveNoFileComp
}
