// SPDX-License-Identifier: GPL-2.0-or-later
// The signatures of a document, judged by the XML signatures of the JDK (javax.xml.crypto) with one key that is given.

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Security;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.spec.SecretKeySpec;
import javax.xml.crypto.MarshalException;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

class Judge {
    // The JDK's own list, less what is a matter of policy here and not of cryptography: SHA-1 and the size of keys.
    static final String POLICY = "disallowAlg http://www.w3.org/TR/1999/REC-xslt-19991116,"
        + "disallowAlg http://www.w3.org/2001/04/xmldsig-more#rsa-md5,disallowAlg http://www.w3.org/2001/04/xmldsig-more#md5,"
        + "maxTransforms 5,maxReferences 30,disallowReferenceUriSchemes file http https,noDuplicateIds,noRetrievalMethodLoops";

    /** Before anything else touches the JDK's XML signatures, which look once. */
    static void start() {
        Security.setProperty("jdk.xml.dsig.secureValidationPolicy", POLICY);
    }

    static PublicKey publicKey(String path) throws Exception {
        String text = new String(Files.readAllBytes(Paths.get(path)), StandardCharsets.US_ASCII);
        if (text.contains("BEGIN CERTIFICATE"))
            return Wss.certificates(path)[0].getPublicKey();
        Matcher matcher = Pattern.compile("-----BEGIN PUBLIC KEY-----(.*?)-----END", Pattern.DOTALL).matcher(text);
        if (!matcher.find())
            throw new IllegalArgumentException("no key in " + path);
        X509EncodedKeySpec spec = new X509EncodedKeySpec(Base64.getMimeDecoder().decode(matcher.group(1)));
        try {
            return KeyFactory.getInstance("RSA").generatePublic(spec);
        } catch (Exception notRsa) {
            return KeyFactory.getInstance("EC").generatePublic(spec);
        }
    }

    /** A PEM file with a certificate or a public key, or "secret:BASE64". */
    static Key key(String word) throws Exception {
        if (word.startsWith("secret:"))
            return new SecretKeySpec(Base64.getDecoder().decode(word.substring(7)), "HMAC");
        return publicKey(word);
    }

    static String quote(String text) {
        return text == null ? "null" : '"' + text.replaceAll("[\\x00-\\x1f\\x7f]+", " ").replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    static String describe(Reference reference, Document document) {
        List<String> transforms = new ArrayList<>();
        for (Object transform : reference.getTransforms())
            transforms.add(quote(((Transform) transform).getAlgorithm()));
        String uri = reference.getURI();
        Element target = uri != null && uri.startsWith("#") ? document.getElementById(uri.substring(1)) : null;
        return "{\"uri\": " + quote(uri) + ", \"element\": " + quote(target == null ? null : target.getLocalName()) + ", \"digest\": "
            + quote(reference.getDigestMethod().getAlgorithm()) + ", \"transforms\": [" + String.join(", ", transforms) + "]}";
    }

    static String describe(SignedInfo info, Document document) {
        List<String> references = new ArrayList<>();
        for (Object reference : info.getReferences())
            references.add(describe((Reference) reference, document));
        return "\"method\": " + quote(info.getSignatureMethod().getAlgorithm()) + ", \"c14n\": "
            + quote(info.getCanonicalizationMethod().getAlgorithm()) + ", \"references\": [" + String.join(", ", references) + "]";
    }

    /** The JDK reads KeyInfo although the key is known; if it cannot, then without. */
    static XMLSignature read(Element signature, DOMValidateContext context) throws Exception {
        context.setProperty("org.jcp.xml.dsig.secureValidation", true);
        try {
            return XMLSignatureFactory.getInstance("DOM").unmarshalXMLSignature(context);
        } catch (MarshalException problem) {
            for (Element child : Wss.children(signature))
                if (Wss.is(child, Wss.DS, "KeyInfo"))
                    signature.removeChild(child);
            return XMLSignatureFactory.getInstance("DOM").unmarshalXMLSignature(context);
        }
    }

    /** JSON: verdict valid, invalid or unread (with a reason), and what SignedInfo says. */
    static String judge(Element signature, Key key) {
        String facts = "";
        try {
            DOMValidateContext context = new DOMValidateContext(key, signature);
            XMLSignature found = read(signature, context);
            facts = ", " + describe(found.getSignedInfo(), signature.getOwnerDocument());
            return "{\"verdict\": \"" + (found.validate(context) ? "valid" : "invalid") + '"' + facts + '}';
        } catch (Exception problem) {
            return "{\"verdict\": \"unread\", \"reason\": " + quote(String.valueOf(problem)) + facts + '}';
        }
    }

    static void judgeAll(Node node, Key key, List<String> verdicts) {
        if (Wss.is(node, Wss.DS, "Signature"))
            verdicts.add(judge((Element) node, key));
        for (Element child : Wss.children(node))
            judgeAll(child, key, verdicts);
    }

    /** judge FILE KEY: "ok " and a JSON object with the verdict on each signature, in document order. */
    static String run(List<String> arguments) throws Exception {
        Document document;
        try {
            document = Wss.parseFile(arguments.get(1));
        } catch (org.xml.sax.SAXException problem) {
            return "ok {\"unread\": " + quote(problem.getMessage()) + ", \"signatures\": []}";
        }
        Wss.markIds(document);
        Key key = key(arguments.get(2));
        List<String> verdicts = new ArrayList<>();
        judgeAll(document, key, verdicts);
        int bits = key instanceof RSAPublicKey ? ((RSAPublicKey) key).getModulus().bitLength() : 0;
        return "ok {\"rsa_bits\": " + bits + ", \"signatures\": [" + String.join(", ", verdicts) + "]}";
    }
}
