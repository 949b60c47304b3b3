/* A mail server that takes everything and keeps nothing, to measure senders against.
 *
 *   sink PORT [LOG]      port 0: any; the first line printed is the port
 *
 * It listens on 127.0.0.1 only, on one thread, and speaks enough SMTP (RFC 5321) with
 * PIPELINING, 8BITMIME, SIZE and SMTPUTF8. LOG gets one line for each recipient of each
 * message that was answered with 250. It ends on SIGTERM and prints what it took:
 * "messages N bytes N connections N". It refuses nothing, and so proves nothing about errors.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT = 256 * 1024, OUTPUT = 64 * 1024, RECIPIENTS = 4096, EVENTS = 64 };

typedef struct {
    int socket;
    int in_data;                 /* between 354 and the final dot */
    size_t length;               /* of input */
    size_t output_length, recipients_length;
    char recipients[RECIPIENTS]; /* of the message under way, a line each */
    char output[OUTPUT];
    char input[INPUT];
} Connection;

static volatile sig_atomic_t stopped;
static unsigned long messages, bytes, connections;
static FILE *log_file;

static void stop(int signal) { (void)signal; stopped = 1; }

static void die(const char *what) { perror(what); exit(1); }

static void answer(Connection *c, const char *reply) {
    size_t length = strlen(reply);
    if (c->output_length + length <= OUTPUT) {
        memcpy(c->output + c->output_length, reply, length);
        c->output_length += length;
    }
}

static int is_verb(const char *line, const char *end, const char *verb) {
    return end - line >= 4 && strncasecmp(line, verb, 4) == 0;
}

static void note_recipient(Connection *c, const char *line, const char *end) {
    const char *first = memchr(line, '<', end - line);
    const char *last = first ? memchr(first, '>', end - first) : NULL;
    size_t length = last ? (size_t)(last - first) : 0; /* with the line feed, without "<" */
    if (!length || c->recipients_length + length > RECIPIENTS) return;
    memcpy(c->recipients + c->recipients_length, first + 1, length - 1);
    c->recipients[c->recipients_length + length - 1] = '\n';
    c->recipients_length += length;
}

static void take_message(Connection *c) {
    messages++;
    if (log_file) fwrite(c->recipients, 1, c->recipients_length, log_file);
    c->recipients_length = 0;
    answer(c, "250 2.0.0 Ok\r\n");
}

/* Answer one command; 0: the client said QUIT. */
static int command(Connection *c, const char *line, const char *end) {
    if (is_verb(line, end, "MAIL")) {
        c->recipients_length = 0;
        answer(c, "250 2.1.0 Ok\r\n");
    } else if (is_verb(line, end, "RCPT")) {
        if (log_file) note_recipient(c, line, end);
        answer(c, "250 2.1.5 Ok\r\n");
    } else if (is_verb(line, end, "DATA")) {
        c->in_data = 1;
        answer(c, "354 Go ahead\r\n");
    } else if (is_verb(line, end, "EHLO")) {
        answer(c, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                  "250 SIZE 104857600\r\n");
    } else if (is_verb(line, end, "QUIT")) {
        answer(c, "221 2.0.0 Bye\r\n");
        return 0;
    } else if (is_verb(line, end, "HELO") || is_verb(line, end, "RSET") ||
               is_verb(line, end, "NOOP")) {
        answer(c, "250 2.0.0 Ok\r\n");
    } else {
        answer(c, "500 5.5.2 Unknown command\r\n");
    }
    return 1;
}

/* Work through the input; keep what is not complete yet. 0: the connection is over. */
static int work(Connection *c) {
    char *at = c->input, *end = c->input + c->length;
    int goes_on = 1;
    while (goes_on) {
        char *feed = memchr(at, '\n', end - at);
        if (!feed) break;
        if (!c->in_data) {
            goes_on = command(c, at, feed);
        } else if (at[0] == '.' && at[1] == '\r' && feed == at + 2) { /* RFC 5321 §4.1.1.4 */
            c->in_data = 0;
            take_message(c);
        } else {
            bytes += feed + 1 - at;
        }
        at = feed + 1;
    }
    c->length = end - at;
    memmove(c->input, at, c->length);
    if (!c->output_length) return goes_on && c->length < INPUT;
    ssize_t sent = send(c->socket, c->output, c->output_length, MSG_NOSIGNAL);
    int is_sent = sent == (ssize_t)c->output_length; /* who does not read is let go */
    c->output_length = 0;
    return goes_on && is_sent && c->length < INPUT;
}

static void accept_one(int listener, int poll) {
    int one = 1, socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (socket < 0) return;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    Connection *c = calloc(1, sizeof *c);
    if (!c) die("calloc");
    c->socket = socket;
    connections++;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event)) die("epoll_ctl");
    answer(c, "220 sink ESMTP\r\n");
    work(c);
}

static void read_one(Connection *c) {
    ssize_t got = recv(c->socket, c->input + c->length, INPUT - c->length, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0) {
        c->length += got;
        if (work(c)) return;
    }
    close(c->socket); /* epoll forgets it */
    free(c);
}

int main(int count, char **arguments) {
    if (count < 2) return fprintf(stderr, "usage: sink PORT [LOG]\n"), 2;
    if (count > 2 && !(log_file = fopen(arguments[2], "w"))) die(arguments[2]);
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024)) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN}, events[EVENTS]; /* no pointer: the listener */
    if (epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event)) die("epoll_ctl");
    while (!stopped) {
        int ready = epoll_wait(poll, events, EVENTS, 500);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr) read_one(events[i].data.ptr);
            else accept_one(listener, poll);
        }
    }
    if (log_file) fclose(log_file);
    printf("messages %lu bytes %lu connections %lu\n", messages, bytes, connections);
    return 0;
}
