/* SQLite's own limit: the rows of a debit written by a C program, N debits to a commit, WAL and synchronous=FULL.
   usage: limit FILE WALLETS SECONDS DEBITS_PER_COMMIT [kept]   prints debits per second
   With `kept` as a fifth argument FILE has our own tables and indexes already, without their triggers, and the rows are
   written as those keep them. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static sqlite3 *db;

static void run(const char *sql) {
  char *error = NULL;
  if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
    fprintf(stderr, "%s: %s\n", sql, error);
    exit(1);
  }
}

static sqlite3_stmt *prepared(const char *sql) {
  sqlite3_stmt *made = NULL;
  if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, NULL) != SQLITE_OK) {
    fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    exit(1);
  }
  return made;
}

static void done(sqlite3_stmt *statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) {
    fprintf(stderr, "%s\n", sqlite3_errmsg(db));
    exit(1);
  }
  sqlite3_reset(statement);
}

static void text(sqlite3_stmt *statement, int at, const char *value) {
  sqlite3_bind_text(statement, at, value, -1, SQLITE_STATIC);
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static sqlite3_stmt *entry, *leg, *balance, *begin, *commit;
static int kept;

static void debit(long wallet, long number) {
  static char customer[40], id[40], key[60];
  const char *now = "2026-11-21 03:00:00.000000";
  snprintf(customer, sizeof customer, "cus_%026ld", wallet);
  snprintf(id, sizeof id, "wtxn_%010ld%016ld", (long)getpid(), number);
  snprintf(key, sizeof key, "debit:%010ld:%016ld", (long)getpid(), number);
  text(balance, 1, customer);
  if (kept) text(balance, 2, now);
  if (sqlite3_step(balance) != SQLITE_ROW) exit(2);
  sqlite3_int64 after = sqlite3_column_int64(balance, 0), nth = sqlite3_column_int64(balance, 1);
  done(balance);
  text(entry, 1, customer); text(entry, 2, id); text(entry, 3, key); text(entry, 4, now);
  done(entry);
  for (int i = 0; i < 2; i++) {
    text(leg, 1, customer); text(leg, 2, id); text(leg, 3, i ? "revenue" : "wallet"); text(leg, 5, now);
    sqlite3_bind_int64(leg, 4, i ? 1 : -1);
    if (i) sqlite3_bind_null(leg, 6); else sqlite3_bind_int64(leg, 6, after);
    if (kept) {
      sqlite3_bind_int64(leg, 7, i);
      if (i) sqlite3_bind_null(leg, 8); else sqlite3_bind_int64(leg, 8, nth);
    }
    done(leg);
  }
}

static void prepare_bare(void) {
  run("CREATE TABLE IF NOT EXISTS account (customer_id TEXT, kind TEXT, asset TEXT, balance BIGINT NOT NULL, held BIGINT NOT NULL,"
      " debt BIGINT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (customer_id, kind, asset),"
      " CHECK (balance - held >= -debt), CHECK (held >= 0), CHECK (debt >= 0));"
      "CREATE TABLE IF NOT EXISTS entry (customer_id TEXT, id TEXT, kind TEXT, key TEXT, request_hash TEXT, occurred_at TEXT,"
      " recorded_at TEXT, data TEXT, PRIMARY KEY (customer_id, id), UNIQUE (customer_id, key));"
      "CREATE TABLE IF NOT EXISTS leg (customer_id TEXT, account TEXT, entry_id TEXT, asset TEXT, amount BIGINT,"
      " balance_after BIGINT, recorded_at TEXT, PRIMARY KEY (customer_id, account, entry_id));");
  balance = prepared("UPDATE account SET balance = balance - 1, version = version + 1 WHERE customer_id = ?1 AND kind = 'wallet'"
                     " AND asset = 'usd' AND balance - held >= 1 RETURNING balance, version");
  entry = prepared("INSERT INTO entry VALUES (?1, ?2, 'debit', ?3, '0123456789abcdef0123456789abcdef', ?4, ?4, '{}')");
  leg = prepared("INSERT INTO leg VALUES (?1, ?3, ?2, 'usd', ?4, ?6, ?5)");
}

static void prepare_kept(void) {
  balance = prepared("UPDATE ledger_account SET balance = balance - 1, version = version + 1, revision = revision + 1,"
                     " moved_at = ?2, tallies = '{\"topup\":[1,1000000000000,0],\"debit\":[' || version || ',0,' || version || ']}'"
                     " WHERE customer_id = ?1 AND kind = 'wallet' AND asset = 'usd' AND balance - held >= 1"
                     " RETURNING balance, version");
  entry = prepared("INSERT INTO ledger_entry (customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, legs)"
                   " VALUES (?1, ?2, 'debit', ?3, '0123456789abcdef0123456789abcdef', ?4, ?4, '{}', 2)");
  leg = prepared("INSERT INTO ledger_leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq,"
                 " kind_seq, balance_after, recorded_at)"
                 " VALUES (?1, ?2, ?7, ?3, 'usd', 'debit', ?4, 0, ?8, ?8 - 1, ?6, ?5)");
}

static void open_wallets(long wallets) {
  sqlite3_stmt *opened = prepared(
      kept ? "INSERT OR IGNORE INTO ledger_account (customer_id, kind, asset, balance, version) VALUES (?1, 'wallet', 'usd',"
             " 1000000000000, 1)"
           : "INSERT OR IGNORE INTO account VALUES (?1, 'wallet', 'usd', 1000000000000, 0, 0, 1)");
  run("BEGIN IMMEDIATE");
  for (long i = 0; i < wallets; i++) {
    char customer[40];
    snprintf(customer, sizeof customer, "cus_%026ld", i);
    text(opened, 1, customer);
    done(opened);
  }
  run("COMMIT");
  sqlite3_finalize(opened);
}

int main(int argc, char **argv) {
  if (argc != 5 && argc != 6) return 1;
  kept = argc == 6;
  long wallets = atol(argv[2]), batch = atol(argv[4]), made = 0;
  if (sqlite3_open(argv[1], &db) != SQLITE_OK) return 1;
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;");
  begin = prepared("BEGIN IMMEDIATE");
  commit = prepared("COMMIT");
  if (kept) prepare_kept(); else prepare_bare();
  open_wallets(wallets);
  srand((unsigned)getpid());
  double until = seconds() + atof(argv[3]), start = seconds();
  while (seconds() < until) {
    done(begin);
    for (long i = 0; i < batch; i++) debit(rand() % wallets, made++);
    done(commit);
  }
  printf("%.1f\n", made / (seconds() - start));
  return 0;
}
