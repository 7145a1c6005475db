//go:build !windows

package facts

import (
	"context"

	"github.com/shirou/gopsutil/v4/host"
)

func logins(ctx context.Context) ([]User, error) {
	found, err := host.UsersWithContext(ctx)
	users := make([]User, 0, len(found))
	for _, u := range found {
		users = append(users, User{
			Name:             u.User,
			Terminal:         u.Terminal,
			Host:             u.Host,
			LoginTimeSeconds: given(u.Started > 0, float64(u.Started)),
		})
	}
	return users, err
}
