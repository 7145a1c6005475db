package builtin

import "strings"

// A translation is one English name and what other languages call it: Swedish,
// German and French, each in the spellings of different versions of Windows.
type translation struct {
	english string
	others  []string
}

// english is the path with its object and counter in English, as far as they
// are known.
func (p counterPath) english() counterPath {
	p.object = englishName(objectNames, p.object)
	p.counter = englishName(counterNames, p.counter)
	return p
}

// englishName looks a name up among the translations, English ones included.
func englishName(table []translation, name string) string {
	want := foldCounter(name)
	for _, t := range table {
		if foldCounter(t.english) == want {
			return t.english
		}
		for _, other := range t.others {
			if foldCounter(other) == want {
				return t.english
			}
		}
	}
	return name
}

// foldCounter is the spelling by which names of objects and counters are
// compared: "per second" has many spellings, also within one language.
func foldCounter(s string) string {
	s = fold(s)
	for _, suffix := range []string{"/sek.", "/sek", "/sec", "/sekunde", "/sekund", "/seconde"} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			return rest + "/s"
		}
	}
	return s
}

var objectNames = []translation{
	{"Processor", []string{"Prozessor", "Processeur"}},
	{"Memory", []string{"Minne", "Arbeitsspeicher", "Speicher", "Mémoire"}},
	{"PhysicalDisk", []string{"Physical Disk", "Fysisk disk", "Physikalischer Datenträger", "Physischer Datenträger", "Disque physique"}},
	{"LogicalDisk", []string{"Logical Disk", "Logisk disk", "Logischer Datenträger", "Disque logique"}},
	{"Network Interface", []string{"Nätverksgränssnitt", "Netzwerkschnittstelle", "Interface réseau"}},
	{"System", []string{"Système"}},
	{"Paging File", []string{"Växlingsfil", "Växlingsfiler", "Auslagerungsdatei", "Fichier d'échange"}},
	{"Process", []string{"Prozess", "Processus"}},
}

var counterNames = []translation{
	{"% Processor Time", []string{"% processortid", "Processortid i procent", "Tid i procent för processor", "Prozessorzeit (%)", "% Prozessorzeit", "% temps processeur"}},
	{"% Idle Time", []string{"% inaktiv tid", "Inaktiv tid i procent", "Leerlaufzeit (%)", "% Leerlaufzeit", "% d'inactivité"}},
	{"% User Time", []string{"% användartid", "Användartid i procent", "Benutzerzeit (%)", "% Benutzerzeit", "% temps utilisateur"}},
	{"% Privileged Time", []string{"% privilegierad tid", "Privilegierad tid i procent", "Privilegierte Zeit (%)", "% Privilegierte Zeit", "% temps privilégié"}},

	{"Available Bytes", []string{"Tillgängliga byte", "Verfügbare Bytes", "Octets disponibles"}},
	{"Available KBytes", []string{"Tillgängliga kilobyte", "Tillgängliga kB", "Verfügbare KB", "Kilo-octets disponibles"}},
	{"Available MBytes", []string{"Tillgängliga megabyte", "Tillgängliga MB", "Verfügbare MB", "Mégaoctets disponibles", "Méga-octets disponibles"}},
	{"Committed Bytes", []string{"Allokerade byte", "Dedikerade byte", "Zugesicherte Bytes", "Octets validés"}},
	{"% Committed Bytes In Use", []string{"% allokerade byte som används", "Allokerade byte som används i procent", "% dedikerade byte som används", "Zugesicherte verwendete Bytes (%)", "Pourcentage d'octets validés utilisés", "% d'octets validés utilisés"}},
	{"Commit Limit", []string{"Allokeringsgräns", "Dedikationsgräns", "Zusagegrenze", "Limite de mémoire dédiée"}},

	{"% Disk Time", []string{"Disktid i procent", "% disktid", "Zeit (%)", "% Zeit", "Pourcentage du temps disque", "% temps disque"}},
	{"Disk Read Bytes/sec", []string{"Disk - lästa byte/s", "Lästa byte/s", "Bytes gelesen/s", "Lesebytes/s", "Lectures disque, octets/s"}},
	{"Disk Write Bytes/sec", []string{"Disk - skrivna byte/s", "Skrivna byte/s", "Bytes geschrieben/s", "Geschriebene Bytes/s", "Schreibbytes/s", "Écritures disque, octets/s"}},
	{"Disk Bytes/sec", []string{"Disk - byte/s", "Diskbyte/s", "Bytes/s", "Octets disque/s"}},
	{"Disk Reads/sec", []string{"Diskläsningar/s", "Lesevorgänge/s", "Lectures disque/s"}},
	{"Disk Writes/sec", []string{"Diskskrivningar/s", "Schreibvorgänge/s", "Écritures disque/s"}},
	{"Disk Transfers/sec", []string{"Disköverföringar/s", "Übertragungen/s", "Transferts disque/s"}},
	{"Current Disk Queue Length", []string{"Aktuell diskkölängd", "Aktuelle Warteschlangenlänge", "Taille de file d'attente du disque actuelle", "Longueur actuelle de la file d'attente du disque"}},
	{"Avg. Disk Queue Length", []string{"Medellängd för diskkö", "Genomsnittlig diskkölängd", "Durchschnittliche Warteschlangenlänge des Datenträgers", "Durchschnittl. Warteschlangenlänge des Datenträgers", "Longueur moyenne de file d'attente du disque"}},
	{"% Free Space", []string{"% ledigt utrymme", "Ledigt utrymme i procent", "Freier Speicherplatz (%)", "% Freier Speicherplatz", "% d'espace libre"}},
	{"Free Megabytes", []string{"Ledigt utrymme i MB", "Lediga megabyte", "MB frei", "Mégaoctets libres"}},

	{"Bytes Total/sec", []string{"Byte totalt/s", "Totalt antal byte/s", "Gesamtanzahl Bytes/s", "Total des octets/s"}},
	{"Bytes Received/sec", []string{"Mottagna byte/s", "Empfangene Bytes/s", "Bytes empfangen/s", "Octets reçus/s"}},
	{"Bytes Sent/sec", []string{"Skickade byte/s", "Gesendete Bytes/s", "Bytes gesendet/s", "Octets envoyés/s"}},
	{"Packets/sec", []string{"Paket/s", "Pakete/s", "Paquets/s"}},
	{"Packets Received/sec", []string{"Mottagna paket/s", "Empfangene Pakete/s", "Pakete empfangen/s", "Paquets reçus/s"}},
	{"Packets Sent/sec", []string{"Skickade paket/s", "Gesendete Pakete/s", "Pakete gesendet/s", "Paquets envoyés/s"}},

	{"Processes", []string{"Processer", "Prozesse", "Processus"}},
	{"Threads", []string{"Trådar"}},
	{"Processor Queue Length", []string{"Processorkölängd", "Prozessor-Warteschlangenlänge", "Prozessorwarteschlangenlänge", "Longueur de la file du processeur"}},
	{"System Up Time", []string{"Systemdrifttid", "Drifttid", "Systembetriebszeit", "Temps d'activité système"}},
	{"Context Switches/sec", []string{"Kontextväxlingar/s", "Kontextbyten/s", "Kontextwechsel/s", "Changements de contexte/s"}},

	{"% Usage", []string{"% användning", "Användning i procent", "Belegung (%)", "% Belegung", "Pourcentage d'utilisation"}},

	{"Working Set", []string{"Arbetsmängd", "Arbeitsseiten", "Arbeitssatz", "Plage de travail"}},
	{"Virtual Bytes", []string{"Virtuella byte", "Virtuelle Größe", "Octets virtuels"}},
	{"Thread Count", []string{"Antal trådar", "Threadanzahl", "Nombre de threads"}},
	{"ID Process", []string{"Process-ID", "ID-process", "Prozesskennung", "Prozess-ID", "ID de processus"}},
}
