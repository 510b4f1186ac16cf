/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Signals whose action is set after they were added: it is done, and they are counted all the same. */
/* Else signal() would be another function: what it is for a program that asks for POSIX alone is called
 * by its name below. */
#define _DEFAULT_SOURCE
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/event.h>
#include <sys/wait.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static const struct timespec now = {0, 0};

static volatile sig_atomic_t handled, set_in_handler;

static void handle(int signal)
{
    handled = handled + signal;
}

static void handle_otherwise(int signal)
{
    handled = handled + 1000 * signal;
}

static void set_another(int signal)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handle;
    set_in_handler = sigaction(signal, &action, NULL) == 0;
}

static void add(int kq, int signal, int flags)
{
    struct kevent change;

    EV_SET(&change, signal, EVFILT_SIGNAL, flags, 0, 0, NULL);
    CHECK(kevent(kq, &change, 1, NULL, 0, NULL) == 0);
}

/* How often a queue tells that the signal came. */
static int told(int kq)
{
    struct kevent event;

    switch (kevent(kq, NULL, 0, &event, 1, &now)) {
    case 1:
        return event.filter == EVFILT_SIGNAL ? (int)event.data : -1;
    case 0:
        return 0;
    default:
        return -1;
    }
}

static int raise_handled(int signal)
{
    handled = 0;
    raise(signal);
    return (int)handled;
}

static void what_is_set_later_is_done_and_counted(int kq)
{
    struct sigaction action, old;

    add(kq, SIGUSR1, EV_ADD);
    CHECK(signal(SIGUSR1, SIG_IGN) == SIG_DFL);
    CHECK(raise_handled(SIGUSR1) == 0 && told(kq) == 1);
    CHECK(signal(SIGUSR1, handle) == SIG_IGN);
    CHECK(raise_handled(SIGUSR1) == SIGUSR1 && told(kq) == 1);
    memset(&action, 0, sizeof action);
    action.sa_handler = handle_otherwise;
    sigaddset(&action.sa_mask, SIGHUP);
    CHECK(sigaction(SIGUSR1, &action, &old) == 0 && old.sa_handler == handle);
    CHECK(raise_handled(SIGUSR1) == 1000 * SIGUSR1 && told(kq) == 1);
    CHECK(sigaction(SIGUSR1, &old, &action) == 0 && action.sa_handler == handle_otherwise);
    CHECK(sigismember(&action.sa_mask, SIGHUP) == 1 && (action.sa_flags & SA_SIGINFO) == 0);
    CHECK(raise_handled(SIGUSR1) == SIGUSR1 && told(kq) == 1);
    CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == handle);
    add(kq, SIGUSR1, EV_DELETE);
    CHECK(raise_handled(SIGUSR1) == SIGUSR1 && told(kq) == 0);
    CHECK(signal(SIGUSR1, SIG_DFL) == handle);
}

static void actions_for_one_time_and_in_handlers(int kq)
{
    struct sigaction action;

    add(kq, SIGURG, EV_ADD);
    memset(&action, 0, sizeof action);
    action.sa_handler = handle;
    action.sa_flags = (int)SA_RESETHAND;
    CHECK(sigaction(SIGURG, &action, NULL) == 0);
    CHECK(raise_handled(SIGURG) == SIGURG);
    CHECK(sigaction(SIGURG, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    CHECK(raise_handled(SIGURG) == 0 && told(kq) == 2);
    CHECK(__sysv_signal(SIGURG, SIG_IGN) == SIG_DFL);
    CHECK(raise_handled(SIGURG) == 0 && told(kq) == 1);
    CHECK(__sysv_signal(SIGURG, handle) == SIG_IGN);
    CHECK(raise_handled(SIGURG) == SIGURG && raise_handled(SIGURG) == 0 && told(kq) == 2);
    signal(SIGURG, set_another);
    raise(SIGURG);
    CHECK(set_in_handler && raise_handled(SIGURG) == SIGURG && told(kq) == 2);
    CHECK(siginterrupt(SIGURG, 1) == 0);
    signal(SIGURG, handle_otherwise);
    CHECK(sigaction(SIGURG, NULL, &action) == 0 && (action.sa_flags & SA_RESTART) == 0);
    CHECK(siginterrupt(SIGURG, 0) == 0);
    CHECK(sigaction(SIGURG, NULL, &action) == 0 && (action.sa_flags & SA_RESTART) != 0);
    add(kq, SIGURG, EV_DELETE);
    CHECK(signal(SIGURG, SIG_DFL) == handle_otherwise);
}

static void others_are_as_ever(void)
{
    struct sigaction action;

    CHECK(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);
    CHECK(signal(0, SIG_IGN) == SIG_ERR && errno == EINVAL);
    CHECK(signal(SIGUSR2, SIG_ERR) == SIG_ERR && errno == EINVAL);
    CHECK(sigaction(-1, NULL, &action) == -1 && errno == EINVAL);
    CHECK(signal(SIGUSR2, handle) == SIG_DFL && signal(SIGUSR2, SIG_DFL) == handle);
}

/* The child has no queue, and what it sets is not its parent's. */
static void a_child_sets_what_it_likes(int kq)
{
    int status = -1;
    pid_t child;

    add(kq, SIGUSR1, EV_ADD);
    signal(SIGUSR1, handle);
    child = fork();
    if (child == 0) {
        if (signal(SIGUSR1, SIG_DFL) != handle)
            _exit(1);
        raise(SIGUSR1);
        _exit(2);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    CHECK(raise_handled(SIGUSR1) == SIGUSR1 && told(kq) == 1);
    child = fork();
    if (child == 0) {
        int own = kqueue();

        add(own, SIGUSR1, EV_ADD);
        signal(SIGUSR1, SIG_IGN);
        _exit(raise_handled(SIGUSR1) == 0 && told(own) == 1 ? 0 : 3);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    add(kq, SIGUSR1, EV_DELETE);
}

enum { ROUNDS = 2000 };

static void *set_on_and_on(void *unused)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        signal(SIGUSR1, i % 2 ? handle : SIG_IGN);
        if (i % 100 == 0) {
            pid_t child = fork();

            if (child == 0) {
                signal(SIGUSR1, SIG_DFL);
                _exit(0);
            }
            CHECK(waitpid(child, NULL, 0) == child);
        }
    }
    return unused;
}

static void none_is_lost_while_another_thread_sets_actions(int kq)
{
    pthread_t thread;
    int i, sum = 0;

    signal(SIGUSR1, SIG_IGN);
    add(kq, SIGUSR1, EV_ADD);
    REQUIRE(pthread_create(&thread, NULL, set_on_and_on, NULL) == 0);
    for (i = 0; i < ROUNDS; i++) {
        raise(SIGUSR1);
        sum += told(kq);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(sum + told(kq) == ROUNDS);
    add(kq, SIGUSR1, EV_DELETE);
    signal(SIGUSR1, SIG_DFL);
}

int main(void)
{
    int kq = kqueue();

    CHECK(kq >= 0);
    what_is_set_later_is_done_and_counted(kq);
    actions_for_one_time_and_in_handlers(kq);
    others_are_as_ever();
    a_child_sets_what_it_likes(kq);
    none_is_lost_while_another_thread_sets_actions(kq);
    close(kq);
    return failures != 0;
}
